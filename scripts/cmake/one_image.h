/* Included before everything in ring 3. All symbols of a program lie in its own image, so code
 * reaches them relative to RIP. Without this a cross compiler uses a table of addresses for symbols
 * of other files, and the linker cannot shorten that in an image that is linked this high. */
#pragma GCC visibility push(hidden)
