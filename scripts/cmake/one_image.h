/* Included before everything in ring 3: all that a program names lies in its own image, so that it
 * is reached relative to RIP. Without this a cross compiler goes through a table of addresses for
 * what other files define, and the linker cannot shorten that for an image linked this high. */
#pragma GCC visibility push(hidden)
