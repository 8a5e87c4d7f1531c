// SPDX-License-Identifier: Apache-2.0
// nDPI's states of flows between their packets. One state is open at a time; of
// libndpi 4.2 the others are kept without their zeros and without unused ends of
// buffers, in about a fifth of the space, which is memory not read per packet,
// too. Other versions keep them as they are. One thread; what is left at the end
// is freed with the pool, but for what the library allocated.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/application/ndpi_compat.hpp"

namespace nfstreamd::ndpi {

// Blocks by size, never given back to the system: the next flows want them.
class Blocks {
public:
    Blocks() = default;
    ~Blocks();
    Blocks(const Blocks&) = delete;
    Blocks& operator=(const Blocks&) = delete;

    static constexpr std::size_t kStep = 32, kLargest = 2048;
    void* take(std::size_t octets);  // null: no memory
    void give(void* block, std::size_t octets);

private:
    static constexpr std::size_t kChunk = 64 * 1024;
    struct Class {
        void* free = nullptr;  // a list through the first octets of each
        std::byte *next = nullptr, *end = nullptr;
    };
    static std::size_t class_of(std::size_t octets) { return (octets + kStep - 1) / kStep; }

    std::array<Class, kLargest / kStep + 1> classes_;
    std::vector<void*> chunks_;
};

class States {
public:
    States() = default;
    ~States();
    States(const States&) = delete;
    States& operator=(const States&) = delete;

    Flow* begin();           // all zero, open; null: no memory
    Flow* open(void* kept);  // what keep() returned, which is void then
    void* keep();            // closes it until it is opened again; null: no memory, it is open still
    void end();              // frees the open one with all that nDPI allocated for it
    std::uint64_t kept() const noexcept { return kept_; }

private:
    Blocks blocks_;
    std::uint64_t kept_ = 0;

#if NFSTREAMD_NDPI_VERSION == 402
    // A buffer of nDPI within a state: its address there, how much of it is used and how much it has.
    struct Buffer {
        std::uint8_t** octets;
        std::size_t used, size;
    };
    Buffer buffer();
    std::uint8_t* new_buffer(std::size_t size);
    void free_buffer(std::uint8_t* octets, std::size_t size);

    static constexpr std::size_t kGroup = 64, kGroups = (sizeof(Flow) + kGroup - 1) / kGroup;
    // 0 and 1: sizes that the library begins with, kept at hand
    static constexpr std::array<std::size_t, 2> kUsualSizes{2048, 4096};

    alignas(kGroup) std::array<std::byte, kGroup * kGroups> workspace_{};
    Flow* const flow_ = reinterpret_cast<Flow*>(workspace_.data());
    std::array<std::uint8_t*, kUsualSizes.size()> spare_{};
#else
    Flow* flow_ = nullptr;
#endif
};

}  // namespace nfstreamd::ndpi
