"""What scripts/run, scripts/test and the boot tests share.

tree     where things lie, and building them
archive  files as a cpio archive, the program's file system
image    kernel, programs and archive as a bootable ISO
machine  a QEMU run: the console as it comes, the exit code
channel  the host's end of programs' standard streams
events   the console taken apart: `reprise:` lines, lines for people, what programs printed
"""
