// Who hands out frames, as seen by whoever needs some: page tables do not know the allocator.
#pragma once

#include <optional>

#include "kernel/base/address.hpp"

namespace reprise {

class FrameSource {
public:
  // A frame of unspecified content, or nothing when memory is exhausted.
  [[nodiscard]] virtual std::optional<FrameNumber> allocate() = 0;
  virtual void release(FrameNumber frame) = 0;

protected:
  ~FrameSource() = default;
};

}  // namespace reprise
