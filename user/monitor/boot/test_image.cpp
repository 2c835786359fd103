// See test_image.hpp.
#include "user/monitor/boot/test_image.hpp"

#include <cstring>

#include "user/monitor/boot/linux_image.hpp"

namespace monitor {

using reprise::Failure;
using reprise::Result;

bool TestImage::is_one(Bytes kernel) {
  return kernel.size() > magic.size() &&
         std::memcmp(kernel.data(), magic.data(), magic.size()) == 0;
}

Result<reprise_guest_state, LoadError> TestImage::load(const BootImage& image,
                                                       GuestMemory& memory) {
  const bool fits = image.memory_bytes > place && image.kernel.size() <= image.memory_bytes - place;
  if (!fits) return Failure{LoadError::KernelTooLarge};
  const bool written =
      memory.write(place, image.kernel.data(), image.kernel.size()) && write_segment_table(memory);
  if (!written) return Failure{LoadError::NoMemory};
  reprise_guest_state state = flat_state(place + magic.size());
  state.rbx = image.memory_bytes;
  return state;
}

Result<reprise_guest_state, LoadError> load_image(const BootImage& image, GuestMemory& memory) {
  return TestImage::is_one(image.kernel) ? TestImage::load(image, memory)
                                         : LinuxImage::load(image, memory);
}

}  // namespace monitor
