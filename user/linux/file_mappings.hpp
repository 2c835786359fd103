// Mappings of files. The regions of memory.cpp say which there are; here their pages and the file
// are kept the same.
//
//   Private  the pages are filled from the file once
//   Copy     so are these, and again where write() or ftruncate() changes the file
//   Joined   the file gives its pages up: those of the mapping take their place (Content::join)
//
// A page of the file is joined to one mapping at a time. In any other one its page has no rights;
// an access there faults, and the page is joined to that mapping instead. The process has one
// thread, so it sees no difference.
//
// Pages behind the file's end do not exist in the kernel: an access becomes SIGBUS. They come and
// go with the file's size.
#pragma once

#include <cstdint>

#include "user/linux/errno.hpp"
#include "user/linux/nodes.hpp"
#include "user/linux/regions.hpp"
#include "user/linux/user_memory.hpp"

namespace personality {

// The bytes of a file's region that lie before the file's end, in whole pages.
[[nodiscard]] std::uint64_t present_bytes(const Region& region);

// Gives the region its pages; the kernel has none there, unless `replaces`. ENOMEM. May turn a Copy
// into a Joined one: this region, or others of the same file.
[[nodiscard]] Value fill_region(Region& region, bool replaces);

// Sets the rights of the pages of a part of a file's region.
void protect_file_pages(const Region& part, unsigned protection);

// Whether a page at this address was joined elsewhere and is here now: the access may be repeated.
[[nodiscard]] bool bring_page(std::uint64_t address);

// To be called before any pages of [start, end) are unmapped: files take over what was written to
// them there. ENOMEM: there is no memory for that, and nothing has changed.
[[nodiscard]] Value unlink_pages(std::uint64_t start, std::uint64_t end);

// Of the part of a file's region within [start, end), as it came from the file. Only for Private.
[[nodiscard]] Value reload(const Region& region, std::uint64_t start, std::uint64_t end);

// The ways to change a file: its mappings show what is new. As Content has them.
[[nodiscard]] Value write_node(Node& node, std::uint64_t offset, UserAddress from,
                               std::uint64_t bytes);
[[nodiscard]] Value resize_node(Node& node, std::uint64_t size);

}  // namespace personality
