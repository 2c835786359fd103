// The table against what the MMU makes of it (a walk as in Intel SDM Vol. 3A §4.5 to §4.6, and Vol.
// 3C §29.3 for guests), and against a map of what was asked for. The same cases run for both
// formats.
#include "arch/page_table.hpp"

#include <algorithm>
#include <map>
#include <random>

#include "arch/x86_64/basic_page_table.hpp"
#include "arch/x86_64/instructions.hpp"
#include "arch/x86_64/table_walk.hpp"
#include "tests/arch/fake_memory.hpp"
#include "tests/catch.hpp"

using namespace arch;
using reprise::FrameNumber;
using reprise::PageNumber;
using x86::EptFormat;
using x86::HostFormat;
using E = x86::TableEntry;

// As an EPT pointer and INVEPT would be given to the CPU.
void EptFormat::activate(FrameNumber root) { x86::cpu.cr3 = root.value() << 12; }
void EptFormat::invalidate(PageNumber page) { x86::cpu.invalidated.push_back(page.value() << 12); }
void EptFormat::invalidate_all() { x86::cpu.cr3_loads.push_back(x86::cpu.cr3); }

namespace {

struct Translation {
  std::uint64_t* leaf = nullptr;
  bool present = false, user = true, writable = true, executable = true, write_back = false,
       uncached = false;
};

// What the manuals say of an entry's bits: told here once more, as the code under test must not.
template <class Format>
struct Mmu;

template <>
struct Mmu<HostFormat> {
  static constexpr std::uint64_t last_page = (1ull << 35) - 1, accessed = 1 << 5, dirty = 1 << 6;
  static void read(std::uint64_t entry, Translation& t) {
    t.present = (entry & 1) != 0;
    t.writable &= (entry & 2) != 0;
    t.user &= (entry & 4) != 0;
    t.executable &= entry >> 63 == 0;
    t.write_back = (entry & 0x18) == 0;
    t.uncached = (entry & 0x18) == 0x18;
  }
};
template <>
struct Mmu<EptFormat> {
  static constexpr std::uint64_t last_page = (1ull << 36) - 1, accessed = 1 << 8, dirty = 1 << 9;
  static void read(std::uint64_t entry, Translation& t) {
    t.present = (entry & 7) != 0;
    t.writable &= (entry & 2) != 0;
    t.executable &= (entry & 4) != 0;
    t.write_back = (entry >> 3 & 7) == 6;
    t.uncached = (entry >> 3 & 7) == 0;
    if (t.present && (entry & 1) == 0) throw std::logic_error("misconfiguration: no R");
  }
};

template <class Format>
struct Space {
  using Table = BasicPageTable<Format>;
  FakeMemory memory;
  Table table;
  Space()
      : table{[this] {
          x86::cpu = {};
          return std::move(*Table::create(memory));
        }()} {
    table.activate();
  }
  FrameNumber frame() { return memory.allocate().value(); }
};

template <class Format>
Translation walk(FakeMemory& memory, PageNumber page) {
  Translation t;
  std::uint64_t table = x86::cpu.cr3 >> 12;
  for (unsigned level = 4; level >= 1; --level) {
    auto& entry = memory.words(FrameNumber{table})[page.value() >> (9 * (level - 1)) & 511];
    t.leaf = &entry;
    Mmu<Format>::read(entry, t);
    if (!t.present) return t;
    if (level > 1 && (entry & 0x80) != 0) throw std::logic_error("large page in a user space");
    table = (entry & 0x000ffffffffff000) >> 12;
  }
  return t;
}

template <class Format>
void touch(FakeMemory& memory, PageNumber page, std::uint64_t bits) {
  *walk<Format>(memory, page).leaf |= bits;
}

std::vector<Mapping> all_mappings(FrameNumber frame) {
  std::vector<Mapping> all;
  for (unsigned bits = 0; bits < 32; ++bits) {
    const Mapping m{
        .frame = frame,
        .permissions = {(bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0},
        .ownership = (bits & 8) != 0 ? Ownership::Owned : Ownership::Shared,
        .write_access = (bits & 16) != 0 ? WriteAccess::Enabled : WriteAccess::Protected};
    const bool allowed =
        m.permissions.read && m.permissions.write && m.ownership == Ownership::Owned;
    if (m.write_access == WriteAccess::Protected || allowed) all.push_back(m);
  }
  return all;
}

bool same(const Mapping& a, const Mapping& b) {
  return a.frame == b.frame && a.permissions == b.permissions && a.ownership == b.ownership &&
         a.write_access == b.write_access;
}

}  // namespace

TEMPLATE_TEST_CASE("a page is found as it was mapped, and the MMU sees no more rights than that",
                   "", HostFormat, EptFormat) {
  using Now = Mmu<TestType>;
  constexpr std::uint64_t last_page = Mmu<TestType>::last_page;
  Space<TestType> s;
  const FrameNumber frame = s.frame();
  for (const PageNumber page :
       {PageNumber{1}, PageNumber{0x7fff0000 >> 2}, PageNumber{last_page}}) {
    for (const Mapping& m : all_mappings(frame)) {
      REQUIRE(s.table.map(page, m));
      REQUIRE(same(s.table.find(page).value(), m));
      const Translation t = walk<TestType>(s.memory, page);
      REQUIRE(t.present == m.permissions.read);
      if (!t.present) continue;
      REQUIRE((*t.leaf & E::Frame) == frame.value() << 12);
      REQUIRE(t.user);
      REQUIRE(t.writable == (m.write_access == WriteAccess::Enabled));
      REQUIRE(t.executable == m.permissions.execute);
      REQUIRE((*t.leaf & (Now::accessed | Now::dirty)) == 0);
      REQUIRE(t.write_back);
      REQUIRE_FALSE(s.table.find(page + 1 > PageNumber{last_page} ? PageNumber{0} : page + 1));
    }
  }
  s.memory.release(frame);
  for (const PageNumber page :
       {PageNumber{1}, PageNumber{0x7fff0000 >> 2}, PageNumber{last_page}}) {
    static_cast<void>(s.table.leaf(page).value().unmap());
    REQUIRE_FALSE(s.table.find(page));
  }
}

TEMPLATE_TEST_CASE(
    "device memory is present, writable and uncached only between opening and closing", "",
    HostFormat, EptFormat) {
  using Now = Mmu<TestType>;
  Space<TestType> s;
  const PageNumber page{0x1234};
  const FrameNumber device{0xfed00};  // not one of the memory's
  const Mapping mapping{device, {.read = false}, Ownership::Device};
  REQUIRE(s.table.map(page, mapping));
  CHECK(same(s.table.find(page).value(), mapping));
  CHECK_FALSE(walk<TestType>(s.memory, page).present);

  const auto leaf = s.table.leaf(page).value();
  leaf.open_device();
  const Translation open = walk<TestType>(s.memory, page);
  REQUIRE(open.present);
  CHECK((open.user && open.writable && !open.executable) == true);
  CHECK((*open.leaf & E::Frame) == device.value() << 12);
  CHECK(open.uncached);

  *open.leaf |= Now::accessed | Now::dirty;  // as the MMU does
  leaf.close_device();
  CHECK(same(s.table.find(page).value(), mapping));
  CHECK_FALSE(walk<TestType>(s.memory, page).present);
  CHECK_FALSE(leaf.accessed());
  s.table.clear();  // and does not release the frame, which nobody allocated
}

TEMPLATE_TEST_CASE("write access that the process or the sharing forbids is a broken invariant", "",
                   HostFormat, EptFormat) {
  constexpr std::uint64_t last_page = Mmu<TestType>::last_page;
  Space<TestType> s;
  const FrameNumber frame = s.frame();
  REQUIRE_THROWS_AS(
      s.table.map(PageNumber{1},
                  {frame, {true, false, false}, Ownership::Owned, WriteAccess::Enabled}),
      Panic);
  REQUIRE_THROWS_AS(
      s.table.map(PageNumber{1},
                  {frame, {true, true, false}, Ownership::Shared, WriteAccess::Enabled}),
      Panic);
  REQUIRE(s.table.map(PageNumber{1}, {frame, {true, true, false}, Ownership::Shared}));
  REQUIRE_THROWS_AS(s.table.map(PageNumber{last_page + 1}, {frame, {}}), Panic);
  REQUIRE_FALSE(s.table.find(PageNumber{last_page + 1}));
  REQUIRE_FALSE(s.table.leaf(PageNumber{last_page + 1}));
}

TEST_CASE("every address space has the kernel's half, and begins with nothing else") {
  Space<HostFormat> s;
  const auto root = s.memory.words(FrameNumber{x86::cpu.cr3 >> 12});
  const auto kernel = s.memory.words(s.memory.kernel_root());
  for (std::size_t i = 0; i < 256; ++i) REQUIRE(root[i] == 0);
  for (std::size_t i = 256; i < 512; ++i) REQUIRE(root[i] == kernel[i]);
  REQUIRE_FALSE(s.table.next_leaf(PageNumber{0}, PageNumber{~0ull}));
}

TEST_CASE("a space sees what the kernel maps after the space was created") {
  FakeMemory memory;
  x86::cpu = {};
  const auto root = memory.words(memory.kernel_root());
  for (std::size_t i = 256; i < 512; ++i) root[i] = 0;
  REQUIRE(x86::fill_upper_half(memory.kernel_root(), memory));
  {
    const auto table = BasicPageTable<HostFormat>::create(memory);
    table->activate();
    for (const std::uint64_t start : {0ull, 1ull << 39, 100ull << 39}) {
      const std::uint64_t rights = E::P | E::Rw | E::Xd;
      const reprise::PhysAddr device{start + 0x5000};
      REQUIRE(x86::map_direct(memory.kernel_root(), device, 4096, rights, memory));
      const Translation t = walk<HostFormat>(
          memory, PageNumber{(reprise::direct_map_base + start + 0x5000) >> 12 & 0xfffffffff});
      REQUIRE(t.present);
      REQUIRE((*t.leaf & E::Frame) == device.value());
      REQUIRE(t.writable);
      REQUIRE_FALSE(t.user);
    }
  }
}

TEST_CASE("the upper half is filled as far as there are frames, and no more than once") {
  FakeMemory memory;
  const auto root = memory.words(memory.kernel_root());
  for (std::size_t i = 256; i < 512; ++i) root[i] = 0;
  memory.limit(255);
  REQUIRE_FALSE(x86::fill_upper_half(memory.kernel_root(), memory));
  memory.limit(300);
  REQUIRE(x86::fill_upper_half(memory.kernel_root(), memory));
  REQUIRE(memory.allocated() == 256);
  for (std::size_t i = 0; i < 256; ++i) REQUIRE(root[i] == 0);
  for (std::size_t i = 256; i < 512; ++i) {
    REQUIRE((root[i] & ~E::Frame) == (E::P | E::Rw));
    for (const auto word : memory.words(FrameNumber{(root[i] & E::Frame) >> 12})) {
      REQUIRE(word == 0);
    }
  }
}

TEMPLATE_TEST_CASE("exhausted memory fails one map and harms no other page", "", HostFormat,
                   EptFormat) {
  FakeMemory memory;
  memory.limit(0);
  REQUIRE_FALSE(BasicPageTable<TestType>::create(memory));
  for (std::size_t spare = 0; spare < 3; ++spare) {
    memory.limit(100);
    {
      auto table = BasicPageTable<TestType>::create(memory);
      const FrameNumber frame = memory.allocate().value();
      REQUIRE(table->map(PageNumber{7}, {frame, {true, true, false}}));
      memory.limit(memory.allocated() + spare);
      REQUIRE_FALSE(table->map(PageNumber{1ull << 30}, {frame, {}}));
      REQUIRE_FALSE(table->find(PageNumber{1ull << 30}));
      REQUIRE(table->find(PageNumber{7})->frame == frame);
    }
    REQUIRE(memory.allocated() == 0);
  }
}

TEMPLATE_TEST_CASE(
    "the destructor releases tables and owned frames, not shared ones, a moved-from table "
    "nothing",
    "", HostFormat, EptFormat) {
  constexpr std::uint64_t last_page = Mmu<TestType>::last_page;
  FakeMemory memory;
  const FrameNumber shared = memory.allocate().value();
  {
    auto first = BasicPageTable<TestType>::create(memory);
    BasicPageTable<TestType> table{std::move(*first)};
    for (std::uint64_t page : {1ull, 2ull, 513ull, 1ull << 20, 1ull << 30, last_page + 0ull}) {
      REQUIRE(table.map(PageNumber{page}, {memory.allocate().value(), {page != 2, true, false}}));
    }
    REQUIRE(table.map(PageNumber{3}, {shared, {}, Ownership::Shared}));
  }
  REQUIRE(memory.allocated() == 1);
  REQUIRE(memory.has(shared));
}

TEMPLATE_TEST_CASE(
    "replace puts another frame behind a page: owned, A and D clear, permissions kept", "",
    HostFormat, EptFormat) {
  using Now = Mmu<TestType>;
  Space<TestType> s;
  const FrameNumber shared = s.frame();
  REQUIRE(s.table.map(PageNumber{5}, {shared, {true, true, true}, Ownership::Shared}));
  touch<TestType>(s.memory, PageNumber{5}, Now::accessed | Now::dirty);
  const FrameNumber own = s.frame();
  const auto leaf = s.table.leaf(PageNumber{5}).value();
  leaf.replace(own, WriteAccess::Enabled);
  REQUIRE(same(*s.table.find(PageNumber{5}),
               {own, {true, true, true}, Ownership::Owned, WriteAccess::Enabled}));
  REQUIRE_FALSE(leaf.dirty());
  REQUIRE_FALSE(leaf.accessed());
  // Nothing but the frame tells the entry from one that was mapped so: the memory type, for
  // example.
  REQUIRE(s.table.map(PageNumber{6},
                      {s.frame(), {true, true, true}, Ownership::Owned, WriteAccess::Enabled}));
  const auto without_frame = [&](PageNumber page) {
    return *walk<TestType>(s.memory, page).leaf & ~std::uint64_t{0x000f'ffff'ffff'f000};
  };
  CHECK(without_frame(PageNumber{5}) == without_frame(PageNumber{6}));
  s.memory.release(shared);
}

TEMPLATE_TEST_CASE(
    "a leaf is the page's one entry: what it changes the table shows, and the other way", "",
    HostFormat, EptFormat) {
  using Now = Mmu<TestType>;
  constexpr std::uint64_t last_page = Mmu<TestType>::last_page;
  Space<TestType> s;
  const PageNumber page{0x400};
  REQUIRE_FALSE(s.table.leaf(page));
  REQUIRE_FALSE(s.table.leaf(PageNumber{last_page + 1}));
  REQUIRE(s.table.map(page, {s.frame(), {true, true, false}}));
  REQUIRE(s.table.map(page + 1, {s.frame(), {}}));
  const auto leaf = s.table.leaf(page).value();
  REQUIRE(leaf.page() == page);
  REQUIRE(leaf == s.table.leaf(page).value());
  REQUIRE_FALSE(leaf == s.table.leaf(page + 1).value());
  REQUIRE(same(leaf.mapping(), s.table.find(page).value()));

  touch<TestType>(s.memory, page, Now::accessed);
  REQUIRE((leaf.accessed() && !leaf.dirty()));
  touch<TestType>(s.memory, page, Now::dirty);
  REQUIRE(leaf.dirty());
  leaf.clear_dirty();
  REQUIRE((leaf.accessed() && !leaf.dirty()));

  const FrameNumber first = leaf.mapping().frame, second = s.frame();
  leaf.replace(second, WriteAccess::Enabled);
  const Mapping replaced{second, {true, true, false}, Ownership::Owned, WriteAccess::Enabled};
  REQUIRE(same(s.table.find(page).value(), replaced));
  REQUIRE_FALSE(leaf.accessed());
  const Mapping read_only{first, {true, false, true}};
  leaf.set(read_only);
  REQUIRE(same(s.table.find(page).value(), read_only));
  s.memory.release(second);
}

TEMPLATE_TEST_CASE(
    "a leaf stays good while other pages, and its own, are unmapped and mapped again", "",
    HostFormat, EptFormat) {
  Space<TestType> s;
  const PageNumber page{0x400};
  REQUIRE(s.table.map(page, {s.frame(), {true, true, false}}));
  const auto leaf = s.table.leaf(page).value();
  const Mapping was = leaf.unmap();
  REQUIRE_FALSE(s.table.leaf(page));
  for (std::uint64_t other = 0; other < 20; ++other) {
    REQUIRE(s.table.map(PageNumber{other << 9}, {s.frame(), {}}));
  }
  REQUIRE(s.table.map(page, was));
  REQUIRE(same(leaf.mapping(), was));
}

namespace {

std::vector<FrameNumber> taken;  // by the last take()

template <class Format>
std::uint64_t take(const BasicPageTable<Format>& table) {
  taken.clear();
  return table.take_accessed([](FrameNumber frame) { taken.push_back(frame); });
}

// A use of the page, as the MMU marks it: in each entry on the way.
template <class Format>
void use(PageNumber page) {
  const FrameNumber root{x86::cpu.cr3 >> 12};
  for (unsigned level = 4; level > 0; --level) {
    *x86::table_entry(root, page.value() << 12, level, nullptr, 0) |= Mmu<Format>::accessed;
  }
}

}  // namespace

TEMPLATE_TEST_CASE("the pages in use since the last time are taken, each once, and stay mapped", "",
                   HostFormat, EptFormat) {
  Space<TestType> s;
  std::mt19937_64 random{1};
  std::map<std::uint64_t, FrameNumber> pages;
  const std::uint64_t last = Mmu<TestType>::last_page;
  for (const std::uint64_t at : {std::uint64_t{0}, std::uint64_t{1}, last - 1, last}) pages[at];
  while (pages.size() < 60) pages[random() % last];
  while (pages.size() < 120) pages[0x400000 + random() % 2000];
  for (auto& [page, frame] : pages) {
    frame = s.frame();
    REQUIRE(s.table.map(PageNumber{page}, {frame, {}}));
  }
  CHECK(take(s.table) == 0);
  for (int round = 0; round < 20; ++round) {
    std::vector<FrameNumber> used;
    for (const auto& [page, frame] : pages) {
      if (random() % 4 != 0) continue;
      use<TestType>(PageNumber{page});
      used.push_back(frame);
    }
    CHECK(take(s.table) == used.size());
    CHECK(taken == used);
    CHECK(take(s.table) == 0);
  }
  for (const auto& [page, frame] : pages) {
    CHECK(same(s.table.find(PageNumber{page}).value(), {frame, {}}));
  }
}

TEMPLATE_TEST_CASE("accessed and dirty are what the MMU set, protecting clears dirty alone", "",
                   HostFormat, EptFormat) {
  using Now = Mmu<TestType>;
  Space<TestType> s;
  const PageNumber page{0x400};
  REQUIRE(
      s.table.map(page, {s.frame(), {true, true, false}, Ownership::Owned, WriteAccess::Enabled}));
  const auto leaf = s.table.leaf(page).value();
  const Mapping before = leaf.mapping();
  touch<TestType>(s.memory, page, Now::accessed);
  REQUIRE(leaf.accessed());
  REQUIRE_FALSE(leaf.dirty());
  touch<TestType>(s.memory, page, Now::dirty);
  REQUIRE(leaf.dirty());
  REQUIRE(same(*s.table.find(page), before));
  leaf.clear_dirty();
  REQUIRE_FALSE(leaf.dirty());
  REQUIRE(leaf.accessed());
  touch<TestType>(s.memory, page, Now::dirty);
  leaf.replace(before.frame, WriteAccess::Protected);
  REQUIRE_FALSE(leaf.dirty());
  REQUIRE_FALSE(leaf.accessed());
  REQUIRE_FALSE(walk<TestType>(s.memory, page).writable);
  REQUIRE(s.table.find(page)->permissions.write);
}

TEMPLATE_TEST_CASE("a bit that flips in an empty word is no page and no table", "", HostFormat,
                   EptFormat) {
  constexpr PageNumber first{0}, behind{Mmu<TestType>::last_page + 1};
  for (unsigned level = 1; level <= 4; ++level) {
    for (unsigned flipped = 0; flipped < 64; ++flipped) {
      CAPTURE(level);
      CAPTURE(flipped);
      FakeMemory memory;
      {
        auto table = BasicPageTable<TestType>::create(memory);
        REQUIRE(table->map(first, {memory.allocate().value(), {true, true, true}}));
        FrameNumber hit = table->root();
        for (unsigned at = 4; at > level; --at) hit = x86::frame_in(memory.words(hit)[0]);
        memory.words(hit)[200] = std::uint64_t{1} << flipped;
        REQUIRE_FALSE(table->next_leaf(first + 1, behind));
        const PageNumber below{200 * x86::pages_of(level)};
        REQUIRE_FALSE(table->find(below));
        const FrameNumber frame = memory.allocate().value();
        REQUIRE(table->map(below, {frame, {true, true, true}}));
        REQUIRE(table->find(below)->frame == frame);
      }
      REQUIRE(memory.allocated() == 0);
    }
  }
}

TEMPLATE_TEST_CASE("a change of one page writes one word of memory", "", HostFormat, EptFormat) {
  using Now = Mmu<TestType>;
  Space<TestType> s;
  for (std::uint64_t page = 0; page < 40; ++page) {
    REQUIRE(s.table.map(PageNumber{page}, {s.frame(), {true, true, false}}));
  }
  const FrameNumber spare = s.frame();
  const auto changes = [&](auto&& action) {
    const auto before = s.memory.all_words();
    action();
    const auto& after = s.memory.all_words();
    std::size_t changed = 0;
    for (std::size_t i = 0; i < before.size(); ++i) changed += before[i] != after[i] ? 1 : 0;
    return changed;
  };
  const auto seventh = s.table.leaf(PageNumber{7}).value();
  const FrameNumber same_frame = seventh.mapping().frame;
  REQUIRE(changes([&] { seventh.replace(same_frame, WriteAccess::Enabled); }) == 1);
  REQUIRE(changes([&] { touch<TestType>(s.memory, PageNumber{7}, Now::dirty); }) == 1);
  REQUIRE(changes([&] { seventh.clear_dirty(); }) == 1);
  REQUIRE(changes([&] { seventh.clear_dirty(); }) == 0);
  const auto ninth = s.table.leaf(PageNumber{9}).value();
  const FrameNumber old = ninth.mapping().frame;
  REQUIRE(changes([&] { ninth.replace(spare, WriteAccess::Protected); }) == 1);
  s.memory.release(old);
  const auto eleventh = s.table.leaf(PageNumber{11}).value();
  Mapping gone{};
  REQUIRE(changes([&] { gone = eleventh.unmap(); }) == 1);
  s.memory.release(gone.frame);
}

TEST_CASE("invalidation names the page, all of a space's translations go with CR3") {
  Space<HostFormat> s;
  const std::uint64_t root = x86::cpu.cr3;
  x86::cpu.cr3_loads.clear();
  BasicPageTable<HostFormat>::invalidate(PageNumber{0x12345});
  REQUIRE(x86::cpu.invalidated == std::vector<std::uint64_t>{0x12345000});
  REQUIRE(x86::cpu.cr3_loads.empty());
  BasicPageTable<HostFormat>::invalidate_user();
  REQUIRE(x86::cpu.cr3_loads == std::vector<std::uint64_t>{root});
}

TEMPLATE_TEST_CASE("random operations leave the table as a plain map would be", "", HostFormat,
                   EptFormat) {
  constexpr std::uint64_t last_page = Mmu<TestType>::last_page;
  const std::uint64_t seed = 20'240'611;
  INFO("seed " << seed);
  std::mt19937_64 random{seed};
  Space<TestType> s;
  std::map<std::uint64_t, Mapping> model;
  const std::uint64_t bases[] = {0, 510, 1ull << 18, (1ull << 27) - 4, last_page - 40};
  for (int step = 0; step < 20'000; ++step) {
    const std::uint64_t page = bases[random() % 5] + random() % 40;
    const FrameNumber frame{FakeMemory::first_frame + random() % 1000};
    switch (random() % 4) {
      case 0: {
        const auto all = all_mappings(frame);
        const Mapping m = all[random() % all.size()];
        REQUIRE(s.table.map(PageNumber{page}, m));
        model[page] = m;
        break;
      }
      case 1: {
        const auto leaf = s.table.leaf(PageNumber{page});
        REQUIRE(leaf.has_value() == model.contains(page));
        if (leaf) REQUIRE(same(leaf->unmap(), model[page]));
        model.erase(page);
        break;
      }
      case 2: {
        const auto found = s.table.find(PageNumber{page});
        REQUIRE(found.has_value() == model.contains(page));
        if (found) REQUIRE(same(*found, model[page]));
        break;
      }
      default: {
        const std::uint64_t end = bases[random() % 5] + random() % 40;
        const auto next = s.table.next_leaf(PageNumber{page}, PageNumber{end});
        const auto expected = model.lower_bound(page);
        const bool exists = expected != model.end() && expected->first < end;
        REQUIRE(next.has_value() == exists);
        if (!next) break;
        REQUIRE(next->page().value() == expected->first);
        REQUIRE(same(next->mapping(), expected->second));
      }
    }
  }
  for (const auto& [page, mapping] : model) {
    static_cast<void>(s.table.leaf(PageNumber{page}).value().unmap());
  }
}
