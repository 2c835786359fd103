; The border between the kernel and a guest, by AMD's SVM (APM Vol. 2 §15.5). enter_guest() is a C
; function that returns when something stops the guest. C++ side: guest.cpp.
;
; VMRUN and #VMEXIT exchange what stands in the VMCB and in the CPU's host save area: control
; registers, CS, SS, DS, ES, RSP, RIP, RFLAGS, RAX. VMSAVE and VMLOAD do so for FS, GS, TR, LDTR and
; the MSRs of SYSCALL and SYSENTER. The other general registers are exchanged here; x87 and vector
; registers pass through.
;
; Constants in capitals come from the C++ headers (offsets.cpp).
%include "offsets.inc"
%include "push_all.inc"

global enter_guest, guest_switch_end

%define GENERAL(n) 8 * (n)              ; in the order of arch::Register

section .text

; void enter_guest(GuestSwitch* s)
; Interrupts are off on entry and on return. Between CLGI and STGI nothing interrupts this code. A
; physical interrupt that comes in the guest, or waits already, ends its stay: it is then pending.
; So the interrupt flag is on behind CLGI, as VMRUN looks at the host's (§15.21.1).
; Stack: s, then the six registers that C keeps.
align 16
enter_guest:
        PUSH_ALL rbx, rbp, r12, r13, r14, r15
        push rdi
        mov rax, [rdi + SWITCH_HOST_BLOCK]
        vmsave
        clgi
        sti
        mov rax, [rdi + SWITCH_GUEST_BLOCK]
        vmload                          ; from here on GS is the guest's
        cmp qword [rdi + SWITCH_DR7], 0
        je .unarmed
        mov rax, [rdi + SWITCH_DR7]     ; QEMU 7.2 takes breakpoints from the host's DR7
        mov dr7, rax
.unarmed:
        rdtsc
        mov [rdi + SWITCH_ENTRY_STAMP], eax
        mov [rdi + SWITCH_ENTRY_STAMP + 4], edx
        mov rax, [rdi + SWITCH_GUEST_BLOCK]
        mov rdi, [rdi + SWITCH_GENERAL]
        mov rbx, [rdi + GENERAL(1)]
        mov rcx, [rdi + GENERAL(2)]
        mov rdx, [rdi + GENERAL(3)]
        mov rsi, [rdi + GENERAL(4)]
        mov rbp, [rdi + GENERAL(6)]
        mov r8, [rdi + GENERAL(8)]
        mov r9, [rdi + GENERAL(9)]
        mov r10, [rdi + GENERAL(10)]
        mov r11, [rdi + GENERAL(11)]
        mov r12, [rdi + GENERAL(12)]
        mov r13, [rdi + GENERAL(13)]
        mov r14, [rdi + GENERAL(14)]
        mov r15, [rdi + GENERAL(15)]
        mov rdi, [rdi + GENERAL(5)]
        vmrun
        mov rax, [rsp]
        mov rax, [rax + SWITCH_GENERAL]
        mov [rax + GENERAL(3)], rdx
        mov [rax + GENERAL(5)], rdi
        mov rdi, rax
        rdtsc
        mov [rdi + GENERAL(1)], rbx
        mov [rdi + GENERAL(2)], rcx
        mov [rdi + GENERAL(4)], rsi
        mov [rdi + GENERAL(6)], rbp
        mov [rdi + GENERAL(8)], r8
        mov [rdi + GENERAL(9)], r9
        mov [rdi + GENERAL(10)], r10
        mov [rdi + GENERAL(11)], r11
        mov [rdi + GENERAL(12)], r12
        mov [rdi + GENERAL(13)], r13
        mov [rdi + GENERAL(14)], r14
        mov [rdi + GENERAL(15)], r15
        pop rdi
        mov [rdi + SWITCH_EXIT_STAMP], eax
        mov [rdi + SWITCH_EXIT_STAMP + 4], edx
        cmp qword [rdi + SWITCH_DR7], 0
        je .disarmed
        mov eax, DR7_INITIAL
        mov dr7, rax
.disarmed:
        mov rax, [rdi + SWITCH_GUEST_BLOCK]
        vmsave
        mov rax, [rdi + SWITCH_HOST_BLOCK]
        vmload
        cli
        cld
        stgi
        POP_ALL rbx, rbp, r12, r13, r14, r15
        ret
guest_switch_end:
