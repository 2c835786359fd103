// Vectors and error codes of exceptions (Intel SDM Vol. 3A §4.7, §6.13, §6.15).
#include "arch/fault.hpp"

#include "arch/x86_64/layout.hpp"
#include "arch/x86_64/registers.hpp"

namespace arch {

using namespace x86;

namespace {

FaultKind classify_page_fault(std::uint64_t error_code) {
  using Code = PageFaultCode;
  if ((error_code & (Code::Rsvd | Code::Pk | Code::Ss)) != 0) return FaultKind::OtherPageFault;
  if ((error_code & Code::Id) != 0) return FaultKind::Fetch;
  if ((error_code & Code::P) == 0) return FaultKind::Absent;
  return (error_code & Code::Wr) != 0 ? FaultKind::WriteProtected : FaultKind::OtherPageFault;
}

}  // namespace

FaultKind classify(std::uint64_t vector, std::uint64_t error_code) {
  if (vector == page_fault_vector) return classify_page_fault(error_code);
  const bool protection = vector == general_protection_vector && error_code == 0;
  return protection ? FaultKind::GeneralProtection : FaultKind::Other;
}

}  // namespace arch
