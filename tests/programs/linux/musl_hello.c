/* The smallest useful Linux program: arguments, the environment, formatted output, a status. */
#include <stdio.h>
#include <stdlib.h>

int main(int count, char** arguments) {
  const char* home = getenv("HOME");
  printf("hello from musl, %d arguments, home %s\n", count - 1, home ? home : "unset");
  for (int i = 1; i < count; ++i) printf("%d: %s\n", i, arguments[i]);
  return count > 1 ? atoi(arguments[1]) : 0;
}
