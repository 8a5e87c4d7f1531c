// SPDX-License-Identifier: Apache-2.0
#include "core/application/ndpi_states.hpp"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <bit>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace nfstreamd::ndpi {

Blocks::~Blocks() {
    for (void* chunk : chunks_) std::free(chunk);
}

void* Blocks::take(std::size_t octets) {
    if (octets > kLargest) return std::malloc(octets);
    Class& c = classes_[class_of(octets)];
    if (c.free != nullptr) {
        void* block = c.free;
        std::memcpy(&c.free, block, sizeof c.free);
        return block;
    }
    const std::size_t size = class_of(octets) * kStep;
    if (static_cast<std::size_t>(c.end - c.next) < size) {
        void* chunk = std::aligned_alloc(64, kChunk);
        if (chunk == nullptr) return nullptr;
        chunks_.push_back(chunk);
        c.next = static_cast<std::byte*>(chunk);
        c.end = c.next + kChunk;
    }
    return std::exchange(c.next, c.next + size);
}

void Blocks::give(void* block, std::size_t octets) {
    if (octets > kLargest) return std::free(block);
    Class& c = classes_[class_of(octets)];
    std::memcpy(block, &c.free, sizeof c.free);
    c.free = block;
}

#if NFSTREAMD_NDPI_VERSION == 402

namespace {

// Zeros are left out by the unit: the finer, the smaller what is kept, and the longer the copying.
constexpr std::size_t kUnit = 16;
constexpr unsigned kLanesPerUnit = 4;  // lanes are words of four octets, a bit each

// A kept state: this, then the units that are not zero, then the used part of its buffer.
struct Kept {
    std::uint32_t octets;                                       // of all three
    std::array<std::uint16_t, (sizeof(Flow) + 63) / 64> units;  // by group, the first lane of each that is kept
};
static_assert(sizeof(Flow) == 688);
static_assert(std::is_trivially_copyable_v<Kept>);

// Of the sixteen lanes of the group, those that are not zero.
unsigned lanes_in_use(const std::byte* group) {
#if defined(__SSE2__)
    const auto* v = reinterpret_cast<const __m128i*>(group);
    const __m128i zero = _mm_setzero_si128();
    const auto is_zero = [&](int i) { return _mm_cmpeq_epi32(_mm_load_si128(v + i), zero); };
    const __m128i low = _mm_packs_epi32(is_zero(0), is_zero(1)), high = _mm_packs_epi32(is_zero(2), is_zero(3));
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(low, high))) ^ 0xffff;
#else
    unsigned out = 0;
    for (unsigned i = 0; i < 16; ++i) {
        std::uint32_t lane;
        std::memcpy(&lane, group + i * sizeof lane, sizeof lane);
        out |= static_cast<unsigned>(lane != 0) << i;
    }
    return out;
#endif
}

unsigned units_in_use(const std::byte* group) {
    const unsigned lanes = lanes_in_use(group), pairs = lanes | lanes >> 1;
    return (pairs | pairs >> 2) & 0x1111;
}

std::byte* unit(std::byte* group, unsigned units) {  // the first of these
    return group + static_cast<unsigned>(std::countr_zero(units)) / kLanesPerUnit * kUnit;
}

}  // namespace

States::~States() {
    for (std::uint8_t* buffer : spare_) ndpi_free(buffer);
}

Flow* States::begin() {
    workspace_.fill(std::byte{0});
    return flow_;
}

Flow* States::open(void* block) {
    workspace_.fill(std::byte{0});
    Kept kept;
    std::memcpy(&kept, block, sizeof kept);
    const auto* from = static_cast<const std::byte*>(block) + sizeof kept;
    for (std::size_t g = 0; g < kGroups; ++g)
        for (unsigned rest = kept.units[g]; rest != 0; rest &= rest - 1, from += kUnit)
            std::memcpy(unit(workspace_.data() + g * kGroup, rest), from, kUnit);
    if (const Buffer b = buffer(); b.octets != nullptr) {
        *b.octets = new_buffer(b.size);
        if (*b.octets != nullptr) std::memcpy(*b.octets, from, b.used);  // otherwise the library begins a new one
    }
    blocks_.give(block, kept.octets);
    --kept_;
    return flow_;
}

void* States::keep() {
    Kept kept;
    std::array<std::byte, kGroup * kGroups> units;
    std::byte* to = units.data();
    for (std::size_t g = 0; g < kGroups; ++g) {
        std::byte* group = workspace_.data() + g * kGroup;
        const unsigned in_use = units_in_use(group);
        kept.units[g] = static_cast<std::uint16_t>(in_use);
        for (unsigned rest = in_use; rest != 0; rest &= rest - 1, to += kUnit)
            std::memcpy(to, unit(group, rest), kUnit);
    }
    const Buffer b = buffer();
    const auto octets = static_cast<std::size_t>(to - units.data());
    const std::size_t buffered = b.octets != nullptr ? b.used : 0;
    kept.octets = static_cast<std::uint32_t>(sizeof kept + octets + buffered);
    auto* block = static_cast<std::byte*>(blocks_.take(kept.octets));
    if (block == nullptr) return nullptr;
    std::memcpy(block, &kept, sizeof kept);
    std::memcpy(block + sizeof kept, units.data(), octets);
    if (b.octets != nullptr) {
        std::memcpy(block + sizeof kept + octets, *b.octets, buffered);
        free_buffer(*b.octets, b.size);
    }
    ++kept_;
    return block;
}

void States::end() {
    ndpi_free_flow_data(flow_);
}

// Reassembly, as the library would free it: 2 or 4 KiB of which little is used mostly, and held as long as the flow.
States::Buffer States::buffer() {
    constexpr std::uint8_t kTcp = 6, kUdp = 17;
    constexpr std::size_t kQuicSize = 4096;
    if (flow_->l4_proto == kTcp) {
        auto& message = flow_->l4.tcp.tls.message;
        if (message.buffer != nullptr && message.buffer_used <= message.buffer_len)
            return {&message.buffer, message.buffer_used, message.buffer_len};
    } else if (flow_->l4_proto == kUdp) {
        auto& udp = flow_->l4.udp;
        if (udp.quic_reasm_buf != nullptr && udp.quic_reasm_buf_len <= kQuicSize)
            return {&udp.quic_reasm_buf, udp.quic_reasm_buf_len, kQuicSize};
    }
    return {};
}

std::uint8_t* States::new_buffer(std::size_t size) {
    for (std::size_t i = 0; i < kUsualSizes.size(); ++i)
        if (size == kUsualSizes[i] && spare_[i] != nullptr) return std::exchange(spare_[i], nullptr);
    return static_cast<std::uint8_t*>(ndpi_malloc(size));
}

void States::free_buffer(std::uint8_t* octets, std::size_t size) {
    for (std::size_t i = 0; i < kUsualSizes.size(); ++i)
        if (size == kUsualSizes[i] && spare_[i] == nullptr) {
            spare_[i] = octets;
            return;
        }
    ndpi_free(octets);
}

#else

States::~States() = default;

Flow* States::begin() {
    flow_ = static_cast<Flow*>(blocks_.take(sizeof(Flow)));
    if (flow_ != nullptr) std::memset(static_cast<void*>(flow_), 0, sizeof(Flow));
    return flow_;
}

Flow* States::open(void* kept) {
    --kept_;
    return flow_ = static_cast<Flow*>(kept);
}

void* States::keep() {
    ++kept_;
    return std::exchange(flow_, nullptr);
}

void States::end() {
    ndpi_free_flow_data(flow_);
    blocks_.give(flow_, sizeof(Flow));
}

#endif

}  // namespace nfstreamd::ndpi
