// flock: locks of open files. Descriptors made by dup share theirs; another open of the same file
// has its own, and the two exclude each other. Record locks (fcntl) belong to the process, so they
// never exclude anybody here.
#include "user/linux/calls.hpp"
#include "user/linux/descriptors.hpp"
#include "user/linux/waiting.hpp"

namespace personality {

namespace {

bool excluded(const Node& node, FileLock wanted) {
  return node.exclusive_locks != 0 || (wanted == FileLock::Exclusive && node.shared_locks != 0);
}

}  // namespace

void drop_lock(OpenFile& file) {
  if (file.lock == FileLock::Shared) --file.node->shared_locks;
  if (file.lock == FileLock::Exclusive) --file.node->exclusive_locks;
  file.lock = FileLock::None;
}

Value call_flock(Call& call) {
  enum { Shared = 1, Exclusive = 2, NoWait = 4, Unlock = 8 };
  OpenFile* file = descriptor(call.integer(0));
  const int operation = call.integer(1) & ~NoWait;
  if (operation != Shared && operation != Exclusive && operation != Unlock) {
    return fail(Errno::Invalid);
  }
  if (file == nullptr || file->kind == OpenKind::Path) return fail(Errno::BadFile);
  if (file->node == nullptr) return 0;  // the terminal and pipes: nobody else has them open
  const FileLock wanted = operation == Shared ? FileLock::Shared : FileLock::Exclusive;
  if (operation != Unlock && file->lock == wanted) return 0;
  drop_lock(*file);  // Linux, too, gives the old lock up before it takes another
  if (operation == Unlock) return 0;
  if (excluded(*file->node, wanted)) {
    if ((call.integer(1) & NoWait) != 0) return fail(Errno::Again);
    return wait_for_signal("a file's lock that nobody can open", Interrupted::MayRestart);
  }
  file->lock = wanted;
  ++(wanted == FileLock::Shared ? file->node->shared_locks : file->node->exclusive_locks);
  return 0;
}

}  // namespace personality
