#include "user/linux/user_memory.hpp"

namespace personality {

bool clear_user(UserAddress to, std::uint64_t bytes) {
  static constexpr char zeros[4096] = {};
  while (bytes > 0) {
    const std::uint64_t part = bytes < sizeof zeros ? bytes : sizeof zeros;
    if (!copy_out(to, zeros, part)) return false;
    to = to + part;
    bytes -= part;
  }
  return true;
}

}  // namespace personality
