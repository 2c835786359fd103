/* Guests: virtual machines whose every processing element is run twice. The calls are in reprise.h.
 * docs/guests.md explains the whole.
 *
 * A guest is a process of its own: one virtual CPU, and guest-physical memory. Init makes it on
 * behalf of a process with the grant of guests, which is its monitor (REPRISE_NEW_GUEST). Only the
 * monitor may make the calls for it. The monitor fills the memory, sets the registers, and lets the
 * guest run. GUEST_RUN waits until something stops the guest that the kernel does not answer
 * itself. The monitor answers with the next GUEST_RUN.
 */
#ifndef REPRISE_ABI_GUEST_H
#define REPRISE_ABI_GUEST_H

#include <stdint.h>

/* A segment register, or a descriptor table's register, which has base and limit only. Attributes:
 * type in bits 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11 (AMD APM Vol. 2 §15.5.1). */
struct reprise_guest_segment {
  uint16_t selector, attributes;
  uint32_t limit;
  uint64_t base;
};

/* All that GUEST_STATE and GUEST_SET_STATE take over, beside the extended state, which begins in
 * its initial configuration. */
struct reprise_guest_state {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rip, rflags;
  struct reprise_guest_segment es, cs, ss, ds, fs, gs, gdtr, ldtr, idtr, tr;
  uint64_t cr0, cr2, cr3, cr4, cr8;
  uint64_t efer; /* without SVME, which the machine itself needs */
  uint64_t dr0, dr1, dr2, dr3, dr6, dr7;
  uint64_t star, lstar, cstar, sfmask, kernel_gs_base;
  uint64_t sysenter_cs, sysenter_esp, sysenter_eip;
  uint64_t pat;
  uint64_t cpl;
  uint64_t shadow; /* 1: behind STI or MOV SS, no interrupt may come before the next instruction */
  uint64_t event;  /* to be delivered before the next instruction, see REPRISE_EVENT_...; or 0 */
  uint64_t next_rip; /* behind the instruction that stopped the guest */
  uint64_t xcr0;     /* one that the machine cannot have counts as 1, with which it begins */
  uint64_t window;   /* 1: the guest stops as soon as it can take an interrupt */
};

/* An event: the vector in bits 7:0 and, where there is an error code, that in bits 63:32. The
 * format is that of EVENTINJ (AMD APM Vol. 2 §15.20). */
#define REPRISE_EVENT_INTERRUPT (1ul << 31 | 0ul << 8)
#define REPRISE_EVENT_NMI (1ul << 31 | 2ul << 8 | 2ul)
#define REPRISE_EVENT_EXCEPTION (1ul << 31 | 3ul << 8)
#define REPRISE_EVENT_ERROR_CODE (1ul << 11)

enum reprise_guest_reason {
  REPRISE_GUEST_IO = 1,           /* IN or OUT: address = port, bytes, write, string; data in rax */
  REPRISE_GUEST_CPUID = 2,        /* leaf in rax, subleaf in rcx */
  REPRISE_GUEST_MSR = 3,          /* RDMSR or WRMSR: address = MSR, write; data in rdx and rax */
  REPRISE_GUEST_HALT = 4,         /* HLT */
  REPRISE_GUEST_MEMORY = 5,       /* address = guest-physical address where no memory is, write */
  REPRISE_GUEST_CALL = 6,         /* VMMCALL: a call by the guest */
  REPRISE_GUEST_SHUTDOWN = 7,     /* the guest's CPU has shut down: a triple fault */
  REPRISE_GUEST_WINDOW = 8,       /* the guest can take an interrupt, as was asked for */
  REPRISE_GUEST_TIME = 9,         /* the deadline has come */
  REPRISE_GUEST_NOTE = 10,        /* RECEIVE has something for the monitor */
  REPRISE_GUEST_XSETBV = 11,      /* XSETBV: register in rcx, data in rdx and rax */
  REPRISE_GUEST_INVALID = 12,     /* the CPU refuses the guest's state: over */
  REPRISE_GUEST_MEMORY_GONE = 13, /* the machine's memory is used up: over */
  REPRISE_GUEST_STANDING = 14,    /* a mismatch that restarts did not cure: over */
  REPRISE_GUEST_ENDED = 15,       /* by init: over */
  REPRISE_GUEST_REGISTER = 16,    /* MOV from or to a debug register, or to CR8, at rip: the
                                   monitor's to carry out */
};

/* GUEST_RUN: the answer to what stopped the guest goes in, what stopped it next comes out. */
struct reprise_guest_run {
  /* In. */
  uint64_t done; /* 1: the instruction that stopped the guest is carried out: go on behind it */
  /* In and out. With `done` they become the guest's. */
  uint64_t rax, rbx, rcx, rdx;
  /* In. */
  uint64_t event;    /* REPRISE_EVENT_...; only when the guest was `ready` for an interrupt */
  uint64_t window;   /* 1: stop for REPRISE_GUEST_WINDOW */
  uint64_t deadline; /* guest time at which to stop for REPRISE_GUEST_TIME; ~0: never */
  uint64_t skip;     /* nanoseconds of guest time that have passed while it was halted */
  /* Out. */
  uint64_t reason;  /* enum reprise_guest_reason */
  uint64_t address; /* port, MSR or guest-physical address */
  uint64_t bytes;   /* of an I/O access: 1, 2 or 4 */
  uint64_t write;   /* 1: OUT, WRMSR, or a store */
  uint64_t string;  /* I/O: 1 INS or OUTS, 3 with REP; their memory is the monitor's to find */
  uint64_t ready;   /* 1: the guest can take an interrupt: IF set, no shadow, no event on its way */
  uint64_t time;    /* guest time, nanoseconds */
  uint64_t rip;
};

/* Guest time, which the guest reads by RDTSC, too: the time that the guest has computed, a fixed
 * cost for each stop, and what the monitor has skipped. One tick is one nanosecond. */
#define REPRISE_GUEST_STOP_COST 1000ul /* nanoseconds */

#endif
