// What the program was started with. main(argc, argv) is called as usual and returns the status.
#pragma once

#include <cstdint>
#include <string_view>

#include "kernel/abi/reprise.h"

namespace user {

[[nodiscard]] const reprise_start& start_information();
[[nodiscard]] char** environment();                         // ends with a null pointer
[[nodiscard]] const std::uint64_t* auxiliary_vector();      // pairs, ends with AT_NULL (0)
[[nodiscard]] std::uint64_t auxiliary(std::uint64_t type);  // 0 when it is not there

// argv[index] as a decimal number; `otherwise` without that argument. Other text ends the program.
[[nodiscard]] std::uint64_t number_argument(int argc, char** argv, int index,
                                            std::uint64_t otherwise);
[[nodiscard]] std::string_view text_argument(int argc, char** argv, int index);  // or no characters

}  // namespace user
