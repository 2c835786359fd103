// The check that no kernel page is both writable and executable.
#pragma once

namespace arch {

void check_write_xor_execute();  // walks all mappings of the kernel; panics on a bad one

}  // namespace arch
