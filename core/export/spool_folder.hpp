// SPDX-License-Identifier: Apache-2.0
// The folder of one spool: its lock, the names of its files, and the cursor that
// says from where on they are still needed. Belongs to the exporter's thread.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/export/spool_position.hpp"

namespace nfstreamd {

class SpoolFolder {
public:
    // DIRECTORY/NAME; what is not a letter, a digit, '_', '-' or '.' between others
    // is escaped, so that no two names share a folder and none leads elsewhere.
    SpoolFolder(const std::string& directory, std::string_view name);
    ~SpoolFolder();
    SpoolFolder(const SpoolFolder&) = delete;
    SpoolFolder& operator=(const SpoolFolder&) = delete;

    // Makes what is missing and takes the lock: kBusy when another has it.
    Status open();
    void close() noexcept;
    bool is_open() const noexcept { return lock_ >= 0; }
    // Whether open() will do, now or when an exporter of this process has closed. Keeps nothing.
    Status check() const;

    const std::string& path() const noexcept { return path_; }
    std::string segment(std::uint64_t number) const;
    std::vector<std::uint64_t> segments() const;  // by number
    void remove(std::uint64_t number) const noexcept;
    // Keeps a file that is no segment of ours under another name, as long as such
    // files have no more than `max_octets`; otherwise it goes. False: it went.
    bool set_aside(std::uint64_t number, std::uint64_t max_octets) const;

    std::optional<SpoolPosition> cursor() const;  // nothing: none, or damaged
    Status write_cursor(const SpoolPosition& position) const;

private:
    Result<int> take_lock() const;

    const std::string path_;
    int lock_ = -1;
};

}  // namespace nfstreamd
