// Where a device puts the bytes that leave the guest.
#pragma once

namespace monitor {

class ByteSink {
public:
  virtual void put(char byte) = 0;

protected:
  ~ByteSink() = default;
};

}  // namespace monitor
