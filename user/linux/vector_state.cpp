#include "user/linux/vector_state.hpp"

#include "user/linux/runtime.hpp"

extern "C" {
std::uint64_t read_xcr0();
}

namespace personality {

namespace {

constexpr std::uint64_t legacy_bytes = 512, header_bytes = 64, trailer_bytes = 4;
constexpr std::uint64_t components_wanted = 0xe7;  // x87, SSE, AVX; AVX-512 (three)
constexpr std::uint32_t has_osxsave = 1u << 27;
constexpr std::uint32_t begin_mark = 0x46505853, end_mark = 0x46505845;

// What Linux leaves in bytes 464 to 511: a signal handler finds the extended part by it.
struct SoftwareBytes {
  std::uint32_t magic, total_bytes;
  std::uint64_t components;
  std::uint32_t state_bytes, padding[7];
};
static_assert(sizeof(SoftwareBytes) == 48);

struct Layout {
  bool known;
  std::uint64_t components;  // 0: FXSAVE
  std::uint64_t bytes;
};
constinit Layout the_layout{};

// Read once, because CPUID may end the processing element. Layout: Intel SDM Vol. 1 §13.5.
const Layout& layout() {
  if (the_layout.known) return the_layout;
  the_layout = {true, 0, legacy_bytes};
  std::uint32_t leaf[4];
  read_cpuid(1, 0, leaf);
  if ((leaf[2] & has_osxsave) == 0) return the_layout;
  the_layout.components = read_xcr0() & components_wanted;
  the_layout.bytes = legacy_bytes + header_bytes;
  for (std::uint32_t i = 2; i < 8; ++i) {
    if ((the_layout.components >> i & 1) == 0) continue;
    read_cpuid(0xd, i, leaf);
    const std::uint64_t end = std::uint64_t{leaf[0]} + leaf[1];
    if (end > the_layout.bytes) the_layout.bytes = end;
  }
  return the_layout;
}

}  // namespace

std::uint64_t vector_state_bytes() { return layout().bytes + trailer_bytes; }
bool vector_state_extended() { return layout().components != 0; }

bool save_vector_state(UserAddress area) {
  const Layout& known = layout();
  if (!clear_user(area, known.bytes)) return false;
  if (user_save_vectors(reinterpret_cast<void*>(area.value()), known.components) != 0) return false;
  if (known.components == 0) return true;
  const SoftwareBytes marks{begin_mark,
                            static_cast<std::uint32_t>(vector_state_bytes()),
                            known.components,
                            static_cast<std::uint32_t>(known.bytes),
                            {}};
  return write_user(area + (legacy_bytes - sizeof marks), marks) &&
         write_user(area + known.bytes, end_mark);
}

bool load_vector_state(UserAddress area) {
  if (area.is_null()) return true;
  return user_load_vectors(reinterpret_cast<const void*>(area.value()), layout().components) == 0;
}

}  // namespace personality
