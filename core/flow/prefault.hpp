// SPDX-License-Identifier: Apache-2.0
// Takes memory of flow caches from the system before the first packet needs it:
// a page that is touched first while packets come holds them up, and a huge one
// that a hypervisor has to find for milliseconds. Owned by who owns the
// memory; control thread, at the start.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace nfstreamd {

// What may be taken by all flow caches of the process together: a quarter of the
// machine's memory, or of what its control group may use when that is less.
std::size_t prefault_limit();

class Prefault {
public:
    Prefault();
    ~Prefault();  // others may take as much
    Prefault(const Prefault&) = delete;
    Prefault& operator=(const Prefault&) = delete;

    // As much of it as may be taken still.
    void take(void* address, std::size_t octets);

    std::size_t octets() const noexcept { return octets_; }
    bool complete() const noexcept { return complete_; }
    std::size_t huge_octets() const;  // of these, in huge pages now

private:
    struct Range {
        std::uintptr_t begin, end;
    };

    std::size_t left_, octets_ = 0;
    bool complete_ = true;
    std::vector<Range> ranges_;
};

}  // namespace nfstreamd
