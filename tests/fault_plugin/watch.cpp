// The books of open watches; see watch.hpp.
#include "watch.hpp"

#include <algorithm>
#include <fstream>
#include <numeric>
#include <sstream>

namespace fault {

const char* name_of(Watch::End end) {
  switch (end) {
    case Watch::End::Kept: return "kept";
    case Watch::End::Written: return "written";
    case Watch::End::Read: return "read";
    case Watch::End::Unseen: break;
  }
  return "unseen";
}

std::optional<std::vector<Watch>> read_watches(const std::string& file) {
  std::ifstream stream{file};
  if (!stream) return std::nullopt;
  std::vector<Watch> found;
  for (std::string line; std::getline(stream, line);) {
    std::istringstream words{line};
    Watch watch;
    std::string more;
    if (!(words >> watch.at >> watch.byte) || words >> more) return std::nullopt;
    found.push_back(watch);
  }
  return found;
}

Watches::Watches(std::vector<Watch> given) : watches_{std::move(given)}, order_(watches_.size()) {
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [this](std::size_t a, std::size_t b) {
    return watches_[a].at < watches_[b].at;
  });
  for (const Watch& each : watches_) {
    const std::uint64_t page = each.byte / kPageBytes;
    if (page >= pages_.size()) pages_.resize(page + 1);
    if (pages_[page] == nullptr) pages_[page] = std::make_unique<Page>();
  }
}

std::optional<std::uint64_t> Watches::next() const {
  if (begun_ == order_.size()) return std::nullopt;
  return watches_[order_[begun_]].at;
}

void Watches::begin_next(const Watch& machine) {
  const std::size_t number = order_[begun_++];
  Watch& watch = watches_[number];
  watch.begun = true;
  watch.begun_at = machine.begun_at;
  watch.rip = machine.rip;
  watch.cr3 = machine.cr3;
  watch.ring = machine.ring;
  Page& page = *pages_[watch.byte / kPageBytes];
  if (page.excluded) {
    watch.end = Watch::End::Unseen;
    return;
  }
  const auto same = std::find_if(page.open.begin(), page.open.end(), [&](std::size_t other) {
    return watches_[other].byte == watch.byte;
  });
  watch.interval = same == page.open.end() ? intervals_++ : watches_[*same].interval;
  page.open.push_back(number);
  page.words.set(watch.byte % kPageBytes / 8);
}

void Watches::access_page(std::uint64_t first, std::size_t size, Watch::End how, std::uint64_t by) {
  Page& page = *pages_[first / kPageBytes];
  const std::uint64_t last = first + size - 1;
  bool any = false;
  for (std::uint64_t word = first % kPageBytes / 8; word <= last % kPageBytes / 8; ++word)
    any |= page.words.test(word);
  if (!any) return;
  page.words.reset();
  std::erase_if(page.open, [&](std::size_t number) {
    Watch& watch = watches_[number];
    const bool hit = first <= watch.byte && watch.byte <= last;
    if (hit) {
      watch.end = how;
      watch.by = by;
    } else {
      page.words.set(watch.byte % kPageBytes / 8);
    }
    return hit;
  });
}

void Watches::close_all(Page& page) {
  for (const std::size_t number : page.open) watches_[number].end = Watch::End::Unseen;
  page.open.clear();
  page.words.reset();
  page.excluded = true;
}

void Watches::exclude(std::uint64_t page) {
  if (page < pages_.size() && pages_[page] != nullptr) close_all(*pages_[page]);
}

void Watches::exclude_all() {
  for (const auto& page : pages_) {
    if (page != nullptr) close_all(*page);
  }
}

}  // namespace fault
