// REPRISE_CHECK, for test programs: when the condition does not hold, the program prints the place
// and ends with status 1.
#pragma once

namespace user {

[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace user

#define REPRISE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::user::check_failed(__FILE_NAME__, __LINE__, #condition))
