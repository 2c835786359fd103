// Linux error numbers, and the result of a Linux system call: a value, or a negative error.
#pragma once

#include <cstdint>

namespace personality {

enum class Errno : int {
  None = 0,
  NotPermitted = 1,
  NoEntry = 2,
  NoProcess = 3,
  Interrupted = 4,
  InputOutput = 5,
  NoAddress = 6,
  BadFile = 9,
  NoChild = 10,
  Again = 11,
  NoMemory = 12,
  Access = 13,
  Fault = 14,
  Exists = 17,
  CrossDevice = 18,
  NoDevice = 19,
  NotDirectory = 20,
  IsDirectory = 21,
  Invalid = 22,
  TooManyFiles = 24,
  NotTerminal = 25,
  FileTooBig = 27,
  NoSpace = 28,
  IllegalSeek = 29,
  ReadOnly = 30,
  BrokenPipe = 32,
  Range = 34,
  NameTooLong = 36,
  NoSystemCall = 38,
  NotEmpty = 39,
  Loop = 40,
  NotSupported = 95,
  TimedOut = 110,
  // Never seen by the program: EINTR, or the call begins again behind a handler with SA_RESTART.
  Restart = 512,
};

using Value = std::int64_t;

constexpr Value fail(Errno error) { return -static_cast<Value>(error); }

}  // namespace personality
