// Between _start and main(): remembers where the initial stack's parts lie.
#include "user/lib/start.hpp"

#include "user/lib/calls.hpp"
#include "user/lib/print.hpp"

int main(int argc, char** argv);

namespace user {
namespace {

constinit const reprise_start* information = nullptr;
constinit char** environment_start = nullptr;
constinit const std::uint64_t* auxiliary_start = nullptr;

}  // namespace

const reprise_start& start_information() { return *information; }
char** environment() { return environment_start; }
const std::uint64_t* auxiliary_vector() { return auxiliary_start; }

std::uint64_t auxiliary(std::uint64_t type) {
  for (const std::uint64_t* entry = auxiliary_start; entry[0] != 0; entry += 2)
    if (entry[0] == type) return entry[1];
  return 0;
}

std::string_view text_argument(int argc, char** argv, int index) {
  return index < argc ? argv[index] : "";
}

std::uint64_t number_argument(int argc, char** argv, int index, std::uint64_t otherwise) {
  if (index >= argc) return otherwise;
  std::uint64_t value = 0;
  for (const char c : std::string_view{argv[index]}) {
    if (c < '0' || c > '9' || value > 1'000'000'000'000) {
      print(argv[0], ": not a number: ", argv[index], "\n");
      exit(2);
    }
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

extern "C" [[noreturn]] void start_program(const reprise_start* start, std::uint64_t* stack) {
  information = start;
  const auto argc = static_cast<int>(stack[0]);
  char** argv = reinterpret_cast<char**>(stack + 1);
  environment_start = argv + argc + 1;
  char** end = environment_start;
  while (*end != nullptr) ++end;
  auxiliary_start = reinterpret_cast<const std::uint64_t*>(end + 1);
  if (start->abi_version != REPRISE_ABI_VERSION) {
    print(argv[0], ": made for another version of the kernel\n");
    exit(2);
  }
  exit(main(argc, argv));
}

}  // namespace user
