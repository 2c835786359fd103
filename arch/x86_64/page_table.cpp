// The page tables of programs: the host's own format. The kernel's entries are global, so a load of
// CR3 drops the program's translations only.
#include "arch/page_table.hpp"

#include "arch/x86_64/basic_page_table.hpp"
#include "arch/x86_64/instructions.hpp"

namespace arch {

using namespace x86;

void HostFormat::activate(reprise::FrameNumber root) { write_cr3(address_of(root).value()); }

void HostFormat::invalidate(reprise::PageNumber page) { invlpg(address_of(page).value()); }

void HostFormat::invalidate_all() { write_cr3(read_cr3()); }

template class BasicLeaf<HostFormat>;
template class BasicPageTable<HostFormat>;

}  // namespace arch
