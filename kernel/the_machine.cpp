#include "kernel/the_machine.hpp"

namespace reprise {

constinit Machine machine;

}  // namespace reprise
