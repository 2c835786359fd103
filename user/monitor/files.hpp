// The kernel and the initrd: files of the archive that came with the boot (struct reprise_start).
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

namespace monitor {

// A regular file by its name, with or without a leading "/" or "./".
[[nodiscard]] std::optional<std::span<const std::byte>> find_file(
    std::span<const std::byte> archive, std::string_view name);

}  // namespace monitor
