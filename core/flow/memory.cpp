// SPDX-License-Identifier: Apache-2.0
#include "core/flow/memory.hpp"

#include <fmt/format.h>
#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

namespace nfstreamd {
namespace {

constexpr std::size_t kHugePage = std::size_t{2} << 20;
std::size_t rounded(std::size_t octets) {
    return (octets + kHugePage - 1) & ~(kHugePage - 1);
}

}  // namespace

Result<void*> reserve_pages(std::size_t octets) noexcept {
    const std::size_t size = rounded(octets);
    void* start =
        mmap(nullptr, size + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED)
        return Error{ErrorCode::kInternal,
                     fmt::format("cannot reserve {} MiB for the flow cache: {}; lower metering.max_flows or "
                                 "metering.splt_analysis",
                                 size >> 20, std::strerror(errno)),
                     ""};
    // keep the part that begins on a huge page, give the rest back
    const auto begin = reinterpret_cast<std::uintptr_t>(start);
    const std::uintptr_t aligned = (begin + kHugePage - 1) & ~(kHugePage - 1);
    if (aligned != begin) munmap(start, aligned - begin);
    if (const std::size_t tail = begin + kHugePage - aligned; tail != 0)
        munmap(reinterpret_cast<void*>(aligned + size), tail);
    madvise(reinterpret_cast<void*>(aligned), size, MADV_HUGEPAGE);  // advice: the answer changes nothing
    return reinterpret_cast<void*>(aligned);
}

void release_pages(void* address, std::size_t octets) noexcept {
    munmap(address, rounded(octets));
}

}  // namespace nfstreamd
