// One Linux system call as its handler sees it. Every handler has the same shape, so that the table
// in calls.cpp is plain data: it returns the value for RAX, negative for an error. A handler that
// changes the registers themselves (rt_sigreturn) returns the RAX that it put there.
#pragma once

#include <cstdint>

#include "user/linux/errno.hpp"
#include "user/linux/native.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

struct Call {
  reprise_frame& registers;
  std::uint64_t number;
  std::uint64_t argument[6];

  [[nodiscard]] UserAddress user(unsigned index) const { return UserAddress(argument[index]); }
  [[nodiscard]] int integer(unsigned index) const { return static_cast<int>(argument[index]); }
};

using Handler = Value (*)(Call& call);

}  // namespace personality
