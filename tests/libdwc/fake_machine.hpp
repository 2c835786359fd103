// A machine small enough to be trusted: paged memory with write and dirty bits, a TLB that believes
// what it once read until it is told otherwise, a bounded pool of frames, a handful of
// instructions, virtual time, and bits that flip where a test wants. It is a dwc::Space and
// a dwc::Core at once. What is virtual is so for platforms with a bug (seeded_bugs.hpp).
//
// It is strict where real machines are merely undefined, so that an engine that is lucky fails
// here:
// - the TLB walks ahead: an entry that is dropped comes back at once, as the table stands then;
// - a stale translation after a cleared dirty bit leaves the bit clear; a stale writable one still
//   writes the old frame; a stale read-only one faults again and again;
// - copies and comparisons wreck the extended state in the CPU, as vector registers in use would;
//   copy_at_fault() does not;
// - what load() has put into the CPU is garbage in the live registers until complete();
// - what reads memory reads it through a cache, whose one bad line stays until it is flushed;
// - a frame is released once, by its owner, and never while mapped; its content is then garbage;
// - a shared frame is never written, mapped writable or released. Breaking these throws.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

#include "libdwc/core.hpp"
#include "libdwc/space.hpp"
#include "tests/libdwc/fake_counter.hpp"

namespace fake {

inline constexpr std::size_t words_per_page = 512;
inline constexpr std::uint64_t page_bytes = 8 * words_per_page;

enum class Page : std::uint32_t {};
enum class Frame : std::uint32_t {};
enum class PageNumber : std::uint32_t {};  // a page's name in reports

// What a program must never notice, and what an engine must never do.
struct Violation : std::logic_error {
  using std::logic_error::logic_error;
};

// Eight general registers, the instruction pointer, flags, and an extended state that stays in the
// CPU when a trap comes.
struct Registers {
  static constexpr std::size_t general = 8, extended = 4, count = general + 2 + extended;
  static constexpr std::size_t ip = general, flags = general + 1, first_extended = general + 2;
  std::array<std::uint64_t, count> word{};

  [[nodiscard]] std::span<std::uint64_t> words() { return word; }
  [[nodiscard]] std::span<const std::uint64_t> words() const { return word; }
  [[nodiscard]] bool same_as(const Registers& other) const { return *this == other; }
  [[nodiscard]] std::uint64_t check_word() const {
    std::uint64_t sum = 0;
    for (const std::uint64_t w : word) sum ^= w;
    return sum;
  }
  friend bool operator==(const Registers&, const Registers&) = default;
};

inline constexpr std::uint64_t zero_flag = 1u << 6;
inline constexpr std::uint64_t interrupt_flag = 1u << 9;    // always set in a program
inline constexpr std::uint64_t privilege_level = 3u << 12;  // never set in a program
inline constexpr std::uint64_t status_flags = 0x8d5;        // what SetFlags can change

enum class Op : std::uint8_t {
  Immediate,     // a := value
  AddImmediate,  // a := a + value, sets the zero flag
  Add,
  Xor,
  Multiply,
  Rotate,         // a := b op c
  Load,           // a := [b + value]
  Store,          // [b + value] := a
  StorePair,      // [b + value] := a, and the same word of the next page := c; all or nothing
  ToExtended,     // extended[a & 3] += b
  FromExtended,   // a := extended[b & 3]
  SetFlags,       // status flags := a
  BranchNonzero,  // if a != 0: ip := value
  RepeatStore,    // while c != 0: [b] := a, b += 8, c -= 1; can be interrupted in between
  Pause,          // nothing; a single step covers the next instruction too
  Shadow,         // nothing; no interrupt, step or breakpoint comes before the next instruction
  Chance,         // a := what no second execution of it will give
  SystemCall,     // number in register 0
  Undefined,      // exception 6
};

struct Instruction {
  Op op;
  std::uint8_t a = 0, b = 0, c = 0;
  std::uint64_t value = 0;
};
using Program = std::vector<Instruction>;

struct Trap {
  enum class Kind : std::uint8_t {
    SystemCall,
    Exception,
    Timer,
    Counter,
    Step,
    Break,
    MachineCheck,
    Pause
  };
  Kind kind;
  std::uint8_t vector = 0;
  std::uint64_t error_code = 0;
  std::uint64_t fault_address = 0;
};
inline constexpr std::uint8_t undefined_vector = 6, page_fault_vector = 14;
inline constexpr std::uint64_t fault_present = 1, fault_write = 2;

struct PageTableEntry {
  Frame frame{};
  bool present = false;
  bool may_write = false;  // the process's permission
  bool shared = false;     // somebody else's frame
  bool enabled = false;    // the hardware's write bit
  bool dirty = false;
};

class Machine {
public:
  // The engine is compiled for this class, whatever class overrides its functions.
  using Engine = Machine;
  using Registers = fake::Registers;
  using Page = fake::Page;
  using PageNumber = fake::PageNumber;
  using Frame = fake::Frame;
  static constexpr std::size_t rip_word = Registers::ip;
  static constexpr std::size_t trap_words = Registers::first_extended;

  Machine(Program program, std::size_t pages, std::size_t frames);
  virtual ~Machine() = default;

  // ---- dwc::Space ----
  PageNumber number(Page page) const { return static_cast<PageNumber>(page); }
  std::uint64_t ordinal(PageNumber number) const { return static_cast<std::uint64_t>(number); }
  std::optional<Frame> allocate();
  void release(Frame frame);
  virtual void copy(Frame to, Frame from);
  virtual std::uint64_t checked_copy(Frame to, Frame from);
  std::uint64_t copy_at_fault(Frame to, Frame from);
  virtual dwc::Comparison compare(Frame a, Frame b);
  std::uint64_t check_word(Frame frame);
  std::span<std::uint64_t> words(Frame frame);
  virtual dwc::Origin<Frame> origin(Page page);
  virtual void map(Page page, Frame frame, dwc::Write write);
  virtual bool dirty(Page page);
  virtual void clear_dirty(Page page);
  virtual void invalidate(Page page);
  virtual void invalidate_all();
  std::uint64_t flush_caches() {  // flush=none, unless pages_to_flush says otherwise
    time_ += 50;
    return pages_to_flush;
  }
  virtual void flush_everything();

  // ---- dwc::Core ----
  Registers& registers() { return live_; }
  const Registers& registers() const { return live_; }
  void exchange_registers(Registers*& other) { std::swap(live_, *other); }
  virtual void complete();
  virtual void load();
  virtual void reload() { load(); }
  std::uint64_t now() { return time_; }
  void arm_timer(std::uint64_t ticks);
  dwc::Counter counter() const { return counter_.model().announced; }
  virtual void restart_count() { counter_.restart(); }
  virtual std::uint64_t count() { return counter_.read(); }
  virtual void stop_at_count(std::uint64_t count);
  virtual void break_at(std::optional<std::uint64_t> ip) { break_ = ip; }
  virtual void step(const Registers& target) { step_target_ = target; }
  virtual bool repeats();
  bool single_steps() const { return can_step; }
  virtual void run_begins(dwc::WhichRun run, const Registers& start);
  virtual void run_ended(dwc::WhichRun run);

  // ---- What a kernel does between PEs; the engine must have forgotten the page ----
  void give_page(Page page, bool may_write);   // an own frame, zeroed
  void share_page(Page page, bool may_write);  // the zero frame, write-protected
  void take_page(Page page);
  // Writes as the kernel would, giving the page a frame of its own. False: no frame is left.
  bool write(Page page, std::size_t word, std::uint64_t value);

  // ---- Running ----
  // Until a trap; Pause after `limit` instructions. Each iteration of a repeated one is one here,
  // and in retired().
  virtual Trap run(std::uint64_t limit = ~std::uint64_t{0});
  // Read-only facts for tests.
  const PageTableEntry& entry(Page page) const { return table_.at(index(page)); }
  std::size_t page_count() const { return table_.size(); }
  std::size_t free_frames() const { return free_.size(); }
  const Program& program() const { return program_; }
  std::uint64_t retired() const { return retired_; }             // instructions since the run began
  const std::vector<bool>& written() const { return written_; }  // pages, since the run began
  std::span<const std::uint64_t> content(Page page) const;
  bool timer_armed() const { return deadline_ != 0; }
  bool stop_armed() const { return counter_.on() || break_ || step_target_; }
  std::span<std::uint64_t> extended() { return extended_; }
  Frame zero_page() const { return Frame{0}; }

  // ---- Where tests reach in ----
  // A bad line of the cache over intact memory: whatever reads the word gets it with these bits
  // flipped. A store to the word itself mends it. A store beside it, in the same line, makes the
  // line dirty: the flip reaches memory. A store elsewhere in the page evicts the line. Else a
  // comparison, which reads through the cache, might take it for a store that is still to come.
  struct BadLine {
    Frame frame;
    std::size_t word;
    std::uint64_t bits;
  };
  void spoil_line(const BadLine& line) { bad_line_ = line; }
  void drop_line() { bad_line_.reset(); }
  // The page's translation leads to another frame until it is invalidated.
  void spoil_translation(Page page, Frame frame) { tlb_.at(index(page)).frame = frame; }
  std::uint64_t flushes = 0;         // of everything
  std::uint64_t pages_to_flush = 0;  // by each flush_caches()
  // As the program would store, to a page that it can write.
  void store_astray(Page page, std::size_t word, std::uint64_t value);
  std::function<void(dwc::WhichRun)> on_run_begins, on_run_ended;
  bool can_step = true;                      // false: as a guest, only over repeated instructions
  std::function<void()> before_instruction;  // retired() says which
  bool machine_check_pending = false;
  std::uint64_t entry_ticks = 0;                      // from load() to the first instruction
  void pass(std::uint64_t ticks) { time_ += ticks; }  // the machine is kept away
  void use_counter(const CounterModel& model, std::uint64_t seed) { counter_ = {model, seed}; }

protected:
  std::vector<PageTableEntry> table_;

private:
  enum class Owner : std::uint8_t { Free, Engine, Shared };
  struct Translation {
    Frame frame{};
    bool valid = false, writable = false, dirty = false;
  };

  template <class T>
  static constexpr std::size_t index(T id) {
    return static_cast<std::size_t>(id);
  }
  void walk(std::size_t page);
  void toggle_bad_line();
  std::uint64_t seen(Frame frame, std::size_t word) const;
  void mark_written(std::size_t page);
  void store_word(Frame frame, std::size_t word, std::uint64_t value);
  std::uint64_t copy_words(Frame to, Frame from);
  void wreck_extended_state();
  Trap run_until_trap(std::uint64_t limit);
  std::optional<Trap> execute();
  [[nodiscard]] bool step_is_over(Op executed, bool repeats_on, bool shadowed, bool first) const;
  std::optional<Frame> reach(std::uint64_t address, dwc::Write write, std::optional<Trap>& fault);
  std::optional<Trap> load(const Instruction& instruction);
  std::optional<Trap> store(const Instruction& instruction);
  std::optional<Trap> repeat_store(const Instruction& instruction);
  Frame must_own(Frame frame, const char* what) const;

  Program program_;
  std::vector<std::array<std::uint64_t, words_per_page>> memory_;
  std::vector<Owner> owner_;
  std::vector<Frame> free_;
  std::vector<Translation> tlb_;
  std::vector<bool> written_;
  Registers live_;
  std::array<std::uint64_t, Registers::extended> extended_{};
  std::uint64_t time_ = 1000;
  std::uint64_t deadline_ = 0;
  FakeCounter counter_;
  std::optional<std::uint64_t> break_;
  std::optional<Registers> step_target_;  // stepping: where a repeated instruction is to stop
  std::uint64_t retired_ = 0;
  std::uint64_t chance_ = 0;
  std::optional<BadLine> bad_line_;
};

}  // namespace fake
