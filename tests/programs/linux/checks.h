/* Checks of a program that tells which of them failed, and goes on. */
#pragma once

#include <errno.h>
#include <stdio.h>

static int failures;
#define CHECK(condition) \
  ((condition)           \
       ? (void)0         \
       : (void)(printf("line %d: %s (errno %d)\n", __LINE__, #condition, errno), ++failures))
#define FAILS(call, code) CHECK((errno = 0, (call) == -1 && errno == (code)))
