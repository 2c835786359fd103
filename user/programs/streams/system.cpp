// What concerns the system: segments, bases, CPUID, what asks the CPU about itself, calls, and what
// ring 3 must not do.
#include "user/programs/streams/generator.hpp"

namespace {

constexpr std::uint16_t selectors[] = {0,    0,    0,    0x1b, 0x1b, 0x18,
                                       0x23, 0x20, 0x08, 0x10, 0x28, 0x2b};

}  // namespace

// MOV to and from segment registers, POP, LAR LSL VERR VERW.
void Generator::segment() {
  static constexpr std::uint8_t loaded[] = {0, 3, 4, 5};  // ES DS FS GS
  const std::uint64_t selector =
      random_.once_in(6) ? random_.below(0x10000) : random_.of(selectors);
  move(0, selector > 0 && selector < 4 ? 0 : selector);
  switch (random_.below(6)) {
    case 0: return code_.bytes(0x8e, 0xc0 | random_.of(loaded) << 3);
    case 1: return code_.bytes(0x8c, 0xc0 | random_.below(6) << 3);            // MOV EAX, Sreg
    case 2: return code_.bytes(0x0f, 0x02 + random_.below(2), 0xd0);           // LAR, LSL EDX, EAX
    case 3: return code_.bytes(0x0f, 0x00, random_.once_in(2) ? 0xe0 : 0xe8);  // VERR, VERW EAX
    case 4:  // MOV SS, with the one selector that ring 3 may have there
      move(0, 0x1b);
      return code_.bytes(0x8e, 0xd0, 0x90);
    default:
      code_.byte(0x50);
      return code_.bytes(0x0f, random_.once_in(2) ? 0xa1 : 0xa9);  // POP FS, GS
  }
}

void Generator::bases() {
  if (!cpu_.fsgsbase) return;
  const std::uint64_t operation = random_.below(4);  // RDFSBASE RDGSBASE WRFSBASE WRGSBASE
  const std::uint8_t reg = writable();
  if (operation > 1) {  // an address in any case: QEMU 7.2 takes others, too
    if (random_.once_in(6)) {
      move(reg, random_.next());
    } else {
      address(reg, place(1));
    }
  }
  code_.byte(0xf3);
  const bool wide = random_.once_in(2);
  if (wide || reg > 7) code_.byte(0x40u | (wide ? 8u : 0u) | (reg > 7 ? 1u : 0u));
  code_.bytes(0x0f, 0xae, 0xc0 | operation << 3 | (reg & 7u));
}

// Far returns and IRET to the same ring, right behind themselves.
void Generator::far() {
  const bool iret = random_.once_in(2);
  if (iret) {
    code_.bytes(0x49, 0x89, 0xe3, 0x6a, 0x1b, 0x41, 0x53, 0x9c);  // RSP, SS, RSP, RFLAGS
    code_.bytes(0x6a, 0x23);
    code_.bytes(0x48, 0x8d, 0x05, 0, 0, 0, 0);
    const std::uint64_t behind = code_.here();
    code_.bytes(0x50, 0x48, 0xcf);
    return code_.lead_here(behind, 4);
  }
  code_.bytes(0x6a, 0x23);
  code_.bytes(0x48, 0x8d, 0x05, 0, 0, 0, 0);
  const std::uint64_t behind = code_.here();
  code_.bytes(0x50, 0x48, 0xcb);
  code_.lead_here(behind, 4);
}

// What tells about the machine. A time stamp is wiped out: it is agreed on, but differs from boot
// to boot.
void Generator::query() {
  switch (random_.below(5)) {
    case 0:
    case 1: {  // CPUID
      static constexpr std::uint32_t leaves[] = {
          0, 1, 2, 4, 5, 6, 7, 0xa, 0xb, 0xd, 0x80000000, 0x80000001, 0x80000008, 0x40000000};
      move(0, random_.once_in(8) ? random_.next() : random_.of(leaves));
      move(1, random_.below(4));
      return code_.bytes(0x0f, 0xa2);
    }
    case 2:
      if (random_.once_in(2)) {
        code_.bytes(0x0f, 0x31);  // RDTSC
      } else {
        code_.bytes(0x0f, 0x01, 0xf9);  // RDTSCP
      }
      move(0, 1);
      return move(2, 2);
    case 3:  // XGETBV
      move(1, random_.once_in(8) ? random_.next() : random_.below(2));
      return code_.bytes(0x0f, 0x01, 0xd0);
    default:
      if (random_.once_in(2)) return;
      return code_.bytes(0xf3, 0x0f, 0xc7, 0xf8 | random_.below(4));  // RDPID
  }
}

void Generator::hint() {
  static constexpr std::uint8_t fences[] = {0xe8, 0xf0, 0xf8};
  switch (random_.below(6)) {
    case 0: return code_.bytes(0xf3, 0x90);  // PAUSE
    case 1: return code_.bytes(0x0f, 0xae, random_.of(fences));
    case 2:
    case 3: {  // CLFLUSH, CLFLUSHOPT, CLWB
      Instruction i{.mandatory = static_cast<std::uint8_t>(random_.once_in(2) ? 0x66 : 0),
                    .map = Map::Two,
                    .opcode = 0xae,
                    .reg = 7};
      if (i.mandatory != 0 && random_.once_in(2)) i.reg = 6;
      choose_memory(i, 1);
      return code_.write(i);
    }
    case 4: return code_.bytes(0xf3, 0x0f, 0x1e, 0xfa);               // ENDBR64
    default: return code_.bytes(0x66, 0x0f, 0x1f, 0x44, 0x00, 0x00);  // a NOP of six bytes
  }
}

void Generator::system_call() {  // a number that will never be one
  move(0, 0x10000 | random_.next());
  code_.bytes(0x0f, 0x05);
}

// Instructions that ring 3 may not execute or that are none. Each ends its stream.
void Generator::fault() {
  struct Code {
    std::uint8_t bytes, code[6];
  };
  static constexpr Code table[] = {
      {1, {0xf4}},
      {1, {0xfa}},
      {1, {0xfb}},  // HLT CLI STI
      {1, {0xec}},
      {1, {0xee}},
      {2, {0xe4, 0x60}},
      {2, {0xe6, 0x60}},  // IN OUT
      {1, {0x6c}},
      {2, {0xf3, 0x6e}},
      {2, {0xf3, 0x6d}},  // INS OUTS
      {2, {0x0f, 0x06}},
      {2, {0x0f, 0x08}},
      {2, {0x0f, 0x09}},  // CLTS INVD WBINVD
      {2, {0x0f, 0x30}},
      {2, {0x0f, 0x32}},
      {2, {0x0f, 0x33}},  // WRMSR RDMSR RDPMC
      {3, {0x0f, 0x20, 0xc0}},
      {3, {0x0f, 0x22, 0xd8}},
      {3, {0x0f, 0x23, 0xf8}},  // MOV CR, DR
      {4, {0x41, 0x0f, 0x01, 0x17}},
      {4, {0x41, 0x0f, 0x01, 0x1f}},  // LGDT LIDT [R15]
      {4, {0x41, 0x0f, 0x01, 0x07}},
      {4, {0x41, 0x0f, 0x01, 0x0f}},  // SGDT SIDT [R15]: UMIP
      {3, {0x0f, 0x00, 0xc0}},
      {3, {0x0f, 0x00, 0xc8}},
      {3, {0x0f, 0x01, 0xe0}},  // SLDT STR SMSW
      {3, {0x0f, 0x00, 0xd0}},
      {3, {0x0f, 0x00, 0xd8}},
      {3, {0x0f, 0x01, 0xf0}},  // LLDT LTR LMSW
      {4, {0x41, 0x0f, 0x01, 0x3f}},
      {3, {0x0f, 0x01, 0xf8}},
      {3, {0x0f, 0x01, 0xd1}},  // INVLPG SWAPGS XSETBV
      {2, {0x0f, 0x34}},
      {2, {0x0f, 0x35}},
      {2, {0x0f, 0x07}},  // SYSENTER SYSEXIT SYSRET
      {3, {0x0f, 0x01, 0xc8}},
      {3, {0x0f, 0x01, 0xc9}},  // MONITOR MWAIT
      {3, {0x0f, 0x01, 0xc1}},
      {3, {0x0f, 0x01, 0xd9}},
      {3, {0x0f, 0x01, 0xd8}},  // VMCALL VMMCALL VMRUN
      {3, {0x0f, 0x01, 0xdc}},
      {3, {0x0f, 0x01, 0xdd}},
      {3, {0x0f, 0x01, 0xee}},  // STGI CLGI RDPKRU
      {6, {0xc7, 0xf8, 0, 0, 0, 0}},
      {3, {0x0f, 0x01, 0xd5}},
      {3, {0x0f, 0x01, 0xd6}},  // XBEGIN XEND XTEST
      {4, {0x66, 0x0f, 0xae, 0xf0}},
      {4, {0xf3, 0x0f, 0xae, 0xf0}},  // TPAUSE UMONITOR
      {1, {0xcc}},
      {2, {0xcd, 3}},
      {2, {0xcd, 0x80}},
      {2, {0xcd, 4}},
      {2, {0xcd, 32}},  // INT
      {2, {0xcd, 8}},
      {2, {0xcd, 14}},
      {2, {0xcd, 0xf0}},
      {1, {0xf1}},  // INT, INT1
      {2, {0x0f, 0x0b}},
      {2, {0x0f, 0xb9}},
      {2, {0x0f, 0xff}},  // UD2 UD1 UD0
      {1, {0xce}},
      {1, {0x06}},
      {1, {0x27}},
      {1, {0x60}},
      {1, {0xd6}},
      {1, {0xea}},  // none in 64 bits
      {3, {0xf0, 0x01, 0xc0}},
      {2, {0xf0, 0x90}},  // LOCK where it may not be
      {3, {0x48, 0xff, 0x2c}},
      {3, {0x41, 0xff, 0x2f}},  // far JMP through garbage
      {2, {0x48, 0xcf}},
      {2, {0x48, 0xcb}},  // IRET, RETF from garbage
  };
  const Code& chosen = random_.of(table);
  for (unsigned i = 0; i < chosen.bytes; ++i) code_.byte(chosen.code[i]);
}
