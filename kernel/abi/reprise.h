/* The native ABI of Reprise: all that programs share with the kernel. Init shares more (init.hpp).
 *
 * A call is the SYSCALL instruction. RAX takes the number; RDI, RSI, RDX and R10 take the
 * arguments. RAX returns the result, or an error as its negative. RCX and R11 are lost. Each call
 * ends the processing element. It is served once, after both runs agreed on number and arguments.
 */
#ifndef REPRISE_ABI_H
#define REPRISE_ABI_H

#include <stdint.h>

#define REPRISE_ABI_VERSION 4
#define REPRISE_PAGE_SIZE 4096ul

/* A native program has an ELF note of this name and type. Its content is the ABI version. */
#define REPRISE_NOTE_NAME "Reprise"
#define REPRISE_NOTE_TYPE 1

enum reprise_call {
  REPRISE_EXIT = 0,         /* (status 0..255): does not return */
  REPRISE_LOG = 1,          /* (text, bytes, flags): to the console; bytes written */
  REPRISE_MAP = 2,          /* (address, bytes, protection, flags): zero-filled pages; returns 0 */
  REPRISE_UNMAP = 3,        /* (address, bytes): holes are fine; returns 0 */
  REPRISE_PROTECT = 4,      /* (address, bytes, protection): all pages must be mapped; returns 0 */
  REPRISE_SET_BASE = 5,     /* (REPRISE_BASE_FS or _GS, address): returns 0 */
  REPRISE_TIME = 6,         /* (): nanoseconds since kernel entry, the monotonic clock */
  REPRISE_SLEEP = 7,        /* (nanoseconds on the monotonic clock to wake at): returns 0 */
  REPRISE_YIELD = 8,        /* (): lets others run; returns 0 */
  REPRISE_LOG_READ = 9,     /* (buffer, bytes, output): text of the log; bytes read, see below */
  REPRISE_ENTROPY = 10,     /* (): 63 unpredictable bits */
  REPRISE_SET_HANDLER = 11, /* (which, entry, struct reprise_frame*): returns 0 */
  REPRISE_RESUME = 12,   /* (const struct reprise_frame*): continues there; returns only an error */
  REPRISE_SELF = 13,     /* (): number of this process, from 1 */
  REPRISE_MAP_FILE = 14, /* (address, bytes, protection, offset): pages of the program's file */
  REPRISE_REFUSE = 15,   /* (error): the program's file cannot be run; does not return */
  REPRISE_CALL = 16,     /* (to, word, word, word, buffer, sizes): message and answer, see below */
  REPRISE_RECEIVE = 17,  /* (answer to, word, word, word, buffer, sizes): the next message, below */
  REPRISE_ALARM = 18,    /* (nanoseconds on the monotonic clock, or ~0): notifies then; returns 0 */
  REPRISE_MAP_DEVICE = 19,   /* (address, bytes, physical address): granted device memory; 0 */
  REPRISE_DEVICE_WRITE = 20, /* (physical address, buffer, bytes): into granted device memory */
  REPRISE_USAGE = 21,        /* (enum reprise_usage): that figure */
  REPRISE_INTERRUPT = 22,    /* (nanoseconds on the monotonic clock, or ~0): an exception then, see
                                Handlers; returns 0 */
  /* Only for a guest's monitor: see guest.h. The first argument is the guest's process number. */
  REPRISE_GUEST_MAP = 23,       /* (guest, guest-physical address, bytes): zero-filled memory; 0 */
  REPRISE_GUEST_WRITE = 24,     /* (guest, guest-physical address, buffer, bytes): returns 0 */
  REPRISE_GUEST_READ = 25,      /* (guest, guest-physical address, buffer, bytes): returns 0 */
  REPRISE_GUEST_STATE = 26,     /* (guest, struct reprise_guest_state*): returns 0 */
  REPRISE_GUEST_SET_STATE = 27, /* (guest, const struct reprise_guest_state*): returns 0 */
  REPRISE_GUEST_RUN = 28,       /* (guest, struct reprise_guest_run*): returns 0 */
  /* Only init has these. For all others these calls do not exist. Structures: init.hpp. */
  REPRISE_CONFIGURE = 32,     /* (const KernelSettings*): returns 0 */
  REPRISE_COUNTER = 33,       /* (const CounterSettings*): the counter from now on; returns 0 */
  REPRISE_MACHINE = 34,       /* (MachineReport*): returns 0 */
  REPRISE_PHYSICAL_READ = 35, /* (physical address, buffer, bytes): memory that the kernel does not
                                 write, at most 64 KiB; returns 0 */
  REPRISE_INJECT = 36,        /* (const Injection*, or 0 to forget all): returns 0 */
  REPRISE_START = 37,         /* (const ProgramRequest*): returns the new process's number */
  REPRISE_NEWS = 38,       /* (Injection*): an ended process's number, or news_of_flip; 0: none */
  REPRISE_STATUS = 39,     /* (process, ProcessReport*): returns 0 */
  REPRISE_END = 40,        /* (process, status): ends it; returns 0 */
  REPRISE_SHUTDOWN = 41,   /* (0 exit or 1 reset, exit code): does not return. (2): whether the
                              drivers have sent all text */
  REPRISE_INTERRUPTS = 42, /* (const InterruptControllers*): inputs, and local_x2apic; once */
  REPRISE_PROBE = 43,      /* (CounterProbe*): runs init's own code under a counter; returns 0 */
  REPRISE_CLOCK = 44,      /* (hertz of the time stamp, of the timer, time stamp now): returns 0 */
  REPRISE_RELEASE = 45,    /* (process): one that has ended, as init knows. Its place is used again,
                              its number is not. Returns 0 */
};

enum reprise_error {
  REPRISE_NO_SUCH_CALL = 1,
  REPRISE_BAD_ARGUMENT = 2,
  REPRISE_BAD_ADDRESS = 3, /* not user memory, not aligned, or not mapped as needed */
  REPRISE_NO_MEMORY = 4,
  REPRISE_OCCUPIED = 5, /* a page of the range is mapped and REPRISE_MAP_REPLACE was not given */
  REPRISE_WOULD_BLOCK = 6,
  REPRISE_GONE = 7,     /* no such process, or it has ended, or it is the caller itself */
  REPRISE_TOO_LONG = 8, /* more bytes than the other side's buffer takes */
  REPRISE_DEADLOCK = 9, /* the other side waits for the caller, directly or through others */
  REPRISE_NOT_GRANTED = 10,
};

/* A message is three words, and bytes. The kernel copies the bytes from the sender's buffer to the
 * other side's, once the processing elements of both are committed.
 *
 * Arguments are in RDI RSI RDX R10 R8 R9, in the order above. The lower half of `sizes` is the
 * number of bytes to send, at most REPRISE_MESSAGE_BYTES. The upper half is the buffer's room for
 * the bytes that come.
 *
 * CALL waits until `to` has received the message and answered. Then RAX is the number of bytes that
 * came, and RSI RDX R10 are the answer's words.
 *
 * RECEIVE first answers a caller (0: nobody), then waits for the next message. Callers may be
 * answered in any order. Then RAX is the sender, RSI RDX R10 are the words, and R8 is the number of
 * bytes. When the answer cannot be given, RECEIVE returns the error and does not wait.
 *
 * Sender 0 is the kernel. RSI then says what has happened since its last message: bits 0 to 31
 * stand for the granted interrupt lines of these numbers, the bits above for the notes below. */
#define REPRISE_MESSAGE_BYTES 65536ul
#define REPRISE_SIZES(send, room) (((send) + 0ul) | ((room) + 0ul) << 32)
#define REPRISE_NOTE_LOG (1ul << 32) /* the log has text to be read */
#define REPRISE_NOTE_ALARM (1ul << 33)
#define REPRISE_NOTE_NEWS (1ul << 34) /* for init: REPRISE_NEWS has some */

/* Process 1, init, knows the others by name. The message REPRISE_FIND has the name as its bytes.
 * The answer is the process's number, or 0. */
#define REPRISE_INIT 1ul
#define REPRISE_FIND 1ul
/* Init makes a guest, whose monitor is the caller. The answer is the guest's number; 0: the caller
 * has no grant of guests, the machine cannot run any, or memory is used up. */
#define REPRISE_NEW_GUEST 2ul
#define REPRISE_NAME_BYTES 31ul

/* What a process may reach of the machine (boot argument grant=). An access to a granted port, or
 * to device memory mapped by MAP_DEVICE, ends the processing element. The instruction is carried
 * out once, after the commit. Interrupt lines below 16 are ISA lines, others are inputs of the I/O
 * APICs. */
enum reprise_grant_kind {
  REPRISE_GRANT_PORT = 0,
  REPRISE_GRANT_MEMORY = 1, /* physical addresses, whole pages */
  REPRISE_GRANT_INTERRUPT = 2,
  REPRISE_GRANT_LOG = 3,
  REPRISE_GRANT_GUEST = 4, /* `first` and `last` are 0 */
};
struct reprise_grant {
  uint64_t kind;
  uint64_t first, last; /* inclusive */
};

/* LOG_READ needs the grant of the log. It reads the text that the serial line (output 0) or the
 * screen (output 1) shows next. 0 bytes: there is none yet, and REPRISE_NOTE_LOG will tell of some.
 * By each call the caller says that the text of all its earlier calls is out. */

/* Protection bits. Writable together with executable is refused (REPRISE_BAD_ARGUMENT). 0 reserves
 * the pages without access. */
#define REPRISE_PROTECT_READ 1u
#define REPRISE_PROTECT_WRITE 2u
#define REPRISE_PROTECT_EXECUTE 4u

/* LOG and LOG_READ take at most this much in one call. The result says how much it was. */
#define REPRISE_LOG_BYTES 16384ul
#define REPRISE_LOG_LINES 1u   /* first end a line that was left unfinished */
#define REPRISE_MAP_REPLACE 1u /* fresh zero pages replace mapped ones */
#define REPRISE_MAP_SPARSE 2u  /* may be larger than the memory that is left */

/* REPRISE_USAGE: bytes, and nanoseconds. */
enum reprise_usage {
  REPRISE_USAGE_MEMORY = 0,    /* of the machine */
  REPRISE_USAGE_AVAILABLE = 1, /* that this process can still map to write to */
  REPRISE_USAGE_TIME = 2,      /* that this process has computed: in first runs */
};

#define REPRISE_BASE_FS 0u
#define REPRISE_BASE_GS 1u

/* Handlers. An entry of 0 removes the handler.
 *
 * REPRISE_HANDLER_SYSCALL is for SYSCALLs outside the personality's image (REPRISE_IMAGE_BASE up to
 * REPRISE_IMAGE_END). Each continues at `entry`, within the same PE. RCX is the return address, R11
 * is RFLAGS, and all else is as at the SYSCALL. The frame is not used.
 *
 * REPRISE_HANDLER_EXCEPTION: after an exception the kernel writes the registers to the frame and
 * disarms the handler. The program continues at `entry` with RDI = frame. SET_HANDLER arms the
 * handler again.
 *
 * REPRISE_INTERRUPT asks for one exception more, of the first vector behind the processor's, at a
 * given time. It comes between two PEs, the first time that the handler is armed and RIP is outside
 * of the personality's image. Without a handler it does not come. */
#define REPRISE_HANDLER_SYSCALL 0u
#define REPRISE_HANDLER_EXCEPTION 1u
#define REPRISE_INTERRUPT_VECTOR 32u

/* The RFLAGS bits that ring 3 can have: CF PF AF ZF SF TF DF OF NT AC ID (Intel SDM Vol. 1 §3.4.3).
 * RESUME takes these from the frame. IF and bit 1 are always set. */
#define REPRISE_USER_FLAGS 0x244dd5ul

struct reprise_frame {
  uint64_t rax, rbx, rcx, rdx, rsi, rdi, rbp, rsp;
  uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
  uint64_t rip, rflags;
  uint64_t vector, error_code, fault_address; /* of the exception; ignored by RESUME */
};

/* What a process is started with. The kernel enters the personality with RDI pointing to this and
 * without a stack. The personality's loader maps the program, builds the System V initial stack
 * (argc, argv, envp, auxv) and fills in the members marked (l). Then it enters the program with RSP
 * pointing to that stack. A native program gets RDI pointing to this, a Linux program RDX = 0. */
struct reprise_start {
  uint64_t abi_version;
  uint64_t process;         /* as REPRISE_SELF */
  uint64_t archive_address; /* the cpio archive, mapped read-only; 0 when there is none */
  uint64_t archive_bytes;
  uint64_t program_entry; /* (l) of a Linux program; 0 for a native one */
  uint64_t program_break; /* (l) first page behind the program's image: where brk begins */
  uint64_t stack_low, stack_high;
  uint64_t map_low, map_high; /* free for REPRISE_MAP as the process likes */
  uint64_t stack_pointer;     /* (l) the initial stack */
  uint64_t file_address;      /* the program's file, mapped read-only */
  uint64_t file_bytes;
  uint64_t strings; /* argv, then the environment, one behind the other, each with its NUL */
  uint64_t argument_count, environment_count;
  uint64_t stream_server; /* process that serves the standard streams; 0: they are the console */
  uint64_t stream_rights; /* REPRISE_STREAM_..., at that server (user/drivers/services.hpp) */
};
#define REPRISE_STREAM_INPUT 1ul /* the standard input is this process's */
#define REPRISE_STREAM_FILES 2ul /* at its end it hands over files that are asked for */

/* The boot module `personality` is a flat image, mapped from REPRISE_IMAGE_BASE on. It begins with
 * this structure. Its parts follow each other in whole pages. */
#define REPRISE_IMAGE_BASE 0x00007e0000000000ul
#define REPRISE_IMAGE_END 0x00007f0000000000ul
#define REPRISE_IMAGE_MAGIC 0x0045534952504552ul /* "REPRISE" */
struct reprise_image {
  uint64_t magic;
  uint64_t entry;                                  /* address of the first instruction */
  uint64_t code_pages, constant_pages, data_pages; /* in the file, in this order */
  uint64_t zero_pages;                             /* behind them, not in the file */
};

#endif
