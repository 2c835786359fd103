// See virtio_disk.hpp.
#include "user/monitor/devices/virtio_disk.hpp"

namespace monitor {
namespace {

// The legacy registers, by offset.
enum Register : unsigned {
  DeviceFeatures = 0x00,
  GuestFeatures = 0x04,
  QueuePage = 0x08,
  QueueSize = 0x0c,
  QueueSelect = 0x0e,
  QueueNotify = 0x10,
  DeviceStatus = 0x12,
  InterruptStatus = 0x13,
  CapacityLow = 0x14,
  CapacityHigh = 0x18,
  LargestSegment = 0x1c,
  MostSegments = 0x20,
};
constexpr unsigned register_bytes = 64;

constexpr std::uint32_t feature_most_segments = 1 << 2, feature_flush = 1 << 9;
constexpr std::uint32_t most_segments = VirtioDisk::queue_size - 2;  // beside header and status

constexpr std::uint32_t identification = 0x1001'1af4, subsystem = 0x0002'1af4;
constexpr std::uint32_t mass_storage = 0x0180'0000;
constexpr unsigned command = 0x04, base_address = 0x10, subsystem_at = 0x2c, line_at = 0x3c,
                   pin_at = 0x3d;
constexpr std::uint32_t ports_answer = 1, interrupt_off = 0x400, command_bits = 0x0507;

constexpr std::uint64_t page = 4096;
constexpr std::uint16_t part_continues = 1, part_is_for_device_to_write = 2;
constexpr std::uint16_t no_interrupt = 1;  // the guest's wish, in the available ring
constexpr std::uint64_t available_at = 16 * VirtioDisk::queue_size;
constexpr std::uint64_t used_at =
    (available_at + 6 + 2 * VirtioDisk::queue_size + page - 1) / page * page;

enum RequestKind : std::uint32_t { Read = 0, Write = 1, Flush = 4, Identify = 8 };
struct RequestHeader {
  std::uint32_t kind, reserved;
  std::uint64_t sector;
};
struct UsedElement {
  std::uint32_t head, bytes;
};

}  // namespace

VirtioDisk::VirtioDisk(DiskImage& image, GuestMemory& memory)
    : image_{image}, memory_{memory}, configuration_{identification, mass_storage} {
  configuration_.make_writable(command, 2, command_bits);
  configuration_.set(base_address, 4, first_port | 1u);
  configuration_.make_writable(base_address, 4, ~(register_bytes - 1));
  configuration_.set(subsystem_at, 4, subsystem);
  configuration_.set(line_at, 1, interrupt_line);
  configuration_.make_writable(line_at, 1, 0xff);
  configuration_.set(pin_at, 1, 1);
}

bool VirtioDisk::interrupts() const {
  return interrupt_status_ != 0 && (configuration_.read(command, 2) & interrupt_off) == 0;
}

bool VirtioDisk::is_own(const PortAccess& access, unsigned& offset) const {
  const std::uint32_t base = configuration_.read(base_address, 4) & ~(register_bytes - 1);
  const bool answers = (configuration_.read(command, 2) & ports_answer) != 0;
  offset = access.port - base;
  return answers && access.port >= base && offset + access.bytes <= register_bytes;
}

// A register's neighbours come with it, so that the device's own part can be read by bytes.
std::uint32_t VirtioDisk::read(const PortAccess& access) {
  unsigned offset = 0;
  if (!is_own(access, offset)) return ~0u;
  if (offset < CapacityLow) return read_register(offset);
  const unsigned aligned = offset & ~3u;
  return read_register(aligned) >> (8 * (offset - aligned));
}

void VirtioDisk::write(const PortAccess& access, std::uint32_t value) {
  unsigned offset = 0;
  if (is_own(access, offset)) write_register(offset, value);
}

std::uint32_t VirtioDisk::read_register(unsigned offset) {
  switch (offset) {
    case DeviceFeatures: return feature_most_segments | feature_flush;
    case GuestFeatures: return guest_features_;
    case QueuePage: return queue_selected_ == 0 ? queue_page_ : 0;
    case QueueSize: return queue_selected_ == 0 ? queue_size : 0;
    case QueueSelect: return queue_selected_;
    case DeviceStatus: return status_;
    case InterruptStatus: {
      const std::uint8_t value = interrupt_status_;
      interrupt_status_ = 0;
      return value;
    }
    case CapacityLow: return static_cast<std::uint32_t>(image_.sectors());
    case CapacityHigh: return static_cast<std::uint32_t>(image_.sectors() >> 32);
    case MostSegments: return most_segments;
    default: return 0;
  }
}

void VirtioDisk::write_register(unsigned offset, std::uint32_t value) {
  switch (offset) {
    case GuestFeatures: guest_features_ = value; return;
    case QueuePage:
      if (queue_selected_ != 0) return;
      queue_page_ = value;
      next_available_ = next_used_ = 0;
      return;
    case QueueSelect: queue_selected_ = static_cast<std::uint16_t>(value); return;
    case QueueNotify:
      if ((value & 0xffff) == 0 && queue_page_ != 0) serve_queue();
      return;
    case DeviceStatus:
      status_ = static_cast<std::uint8_t>(value);
      if (status_ == 0) reset();
      return;
    default: return;
  }
}

void VirtioDisk::reset() {
  guest_features_ = 0;
  queue_page_ = 0;
  queue_selected_ = 0;
  interrupt_status_ = 0;
  next_available_ = next_used_ = 0;
}

// Serves what the guest has made available. More than the ring has places is no queue.
void VirtioDisk::serve_queue() {
  const std::uint64_t available = queue_page_ * page + available_at;
  std::uint16_t flags = 0, end = 0;
  if (!load(available, flags) || !load(available + 2, end)) return;
  const auto count = static_cast<std::uint16_t>(end - next_available_);
  if (count == 0 || count > queue_size) return;
  while (next_available_ != end) {
    if (!serve_next(next_available_ % queue_size)) return;
    ++next_available_;
  }
  if ((flags & no_interrupt) == 0) interrupt_status_ |= 1;
}

bool VirtioDisk::serve_next(std::uint16_t place) {
  const std::uint64_t queue = queue_page_ * page;
  std::uint16_t head = 0;
  Chain chain;
  if (!load(queue + available_at + 4 + 2ul * place, head)) return false;
  if (!read_chain(head, chain)) return false;
  const UsedElement element{.head = head, .bytes = serve_request(chain)};
  const std::uint64_t used = queue + used_at;
  if (!store(used + 4 + sizeof element * (next_used_ % queue_size), element)) return false;
  ++next_used_;
  return store(used + 2, next_used_);
}

bool VirtioDisk::read_chain(std::uint16_t head, Chain& chain) {
  std::uint16_t next = head;
  for (chain.count = 0; chain.count < queue_size;) {
    Descriptor& part = chain.parts[chain.count];
    if (next >= queue_size) return false;
    if (!load(queue_page_ * page + sizeof part * next, part)) return false;
    ++chain.count;
    if ((part.flags & part_continues) == 0) return chain.count >= 2;  // header and status
    next = part.next;
  }
  return false;  // it has no end
}

// The result is how many bytes were written into the guest's memory.
std::uint32_t VirtioDisk::serve_request(const Chain& chain) {
  const Descriptor& last = chain.parts[chain.count - 1];
  RequestHeader header{};
  Status status = Status::Unsupported;
  const bool has_header = chain.parts[0].bytes >= sizeof header;
  if (!has_header || !load(chain.parts[0].address, header)) {
    status = Status::Error;
  } else if (header.kind == Read || header.kind == Write) {
    status = transfer(chain, header.sector, header.kind == Write);
  } else if (header.kind == Flush) {
    status = Status::Ok;  // what is written is in memory at once
  } else if (header.kind == Identify) {
    status = identify(chain);
  }
  std::uint32_t written = 1;
  for (unsigned i = 1; status == Status::Ok && i + 1 < chain.count; ++i) {
    if ((chain.parts[i].flags & part_is_for_device_to_write) != 0) written += chain.parts[i].bytes;
  }
  const bool takes_status = (last.flags & part_is_for_device_to_write) != 0 && last.bytes != 0;
  return takes_status && store(last.address, status) ? written : 0;
}

VirtioDisk::Status VirtioDisk::transfer(const Chain& chain, std::uint64_t sector, bool to_disk) {
  if (sector >= image_.sectors()) return Status::Error;
  std::uint64_t position = sector * DiskImage::sector_bytes;
  for (unsigned i = 1; i + 1 < chain.count; ++i) {
    const Descriptor& part = chain.parts[i];
    const bool guest_reads = (part.flags & part_is_for_device_to_write) == 0;
    if (guest_reads != to_disk || part.bytes > image_.bytes() - position) return Status::Error;
    if (!move_part(part, position, to_disk)) return Status::Error;
    position += part.bytes;
  }
  return Status::Ok;
}

bool VirtioDisk::move_part(const Descriptor& part, std::uint64_t position, bool to_disk) {
  for (std::uint64_t done = 0; done < part.bytes;) {
    const std::uint64_t left = part.bytes - done;
    const std::uint64_t in_block = image_.at(position + done).size();
    const std::uint64_t count = left < in_block ? left : in_block;
    const bool moved =
        to_disk
            ? memory_.read(part.address + done, image_.writable_at(position + done).data(), count)
            : memory_.write(part.address + done, image_.at(position + done).data(), count);
    if (!moved) return false;
    done += count;
  }
  return true;
}

VirtioDisk::Status VirtioDisk::identify(const Chain& chain) {
  constexpr std::array<char, 20> name{"reprise-disk"};
  const Descriptor& part = chain.parts[1];
  const bool fits = chain.count == 3 && part.bytes >= name.size() &&
                    (part.flags & part_is_for_device_to_write) != 0;
  return fits && store(part.address, name) ? Status::Ok : Status::Error;
}

}  // namespace monitor
