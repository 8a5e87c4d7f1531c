// SPDX-License-Identifier: Apache-2.0
// Several interfaces, or several files, as one packet source whose frames come
// in time stamp order. Owns its members and polls them; for threads as any other
// packet source.
#pragma once
#include <chrono>
#include <memory>
#include <vector>

#include "core/capture/packet_source.hpp"

namespace nfstreamd {

inline constexpr std::size_t kMostMembers = 255;

struct MergeOptions {
    std::chrono::milliseconds reorder_window{10};  // live: how much later than another a frame may come
    std::chrono::milliseconds deduplicate{0};      // time between copies of a packet; 0: they are not looked for
    friend bool operator==(const MergeOptions&, const MergeOptions&) = default;
};

// How soon the kernel must hand over what a member captures, for it to be in time.
std::chrono::milliseconds block_timeout(const MergeOptions& options);

// Octets of each packet that are compared with those of its copies, when this many are captured.
inline constexpr int kLeastDeduplicated = 128;

// At most kMostMembers, of which each captures `snapshot_length` octets or more.
// Live: a frame waits until it is `reorder_window` old. Files: until every other
// file has been read so far.
std::unique_ptr<PacketSource> make_merged_links(std::vector<std::unique_ptr<PacketSource>> members,
                                                const MergeOptions& options, int snapshot_length);
std::unique_ptr<PacketSource> make_merged_files(std::vector<std::unique_ptr<PacketSource>> members,
                                                const MergeOptions& options, int snapshot_length);

}  // namespace nfstreamd
