// What a test program expects: REPRISE_CHECK ends the program with status 1 and a line that says
// where, when the condition does not hold.
#pragma once

namespace user {

[[noreturn]] void check_failed(const char* file, int line, const char* condition);

}  // namespace user

#define REPRISE_CHECK(condition) \
  ((condition) ? static_cast<void>(0) : ::user::check_failed(__FILE_NAME__, __LINE__, #condition))
