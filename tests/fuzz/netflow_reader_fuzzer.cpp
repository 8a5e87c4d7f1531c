// SPDX-License-Identifier: Apache-2.0
// The collecting side on hostile NetFlow: packets as they come from one sender, each with its length in front in two
// octets. The version of each is made 9 or 5, so that no input is wasted on others.
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "tests/fuzz/reader_promises.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    using namespace nfstreamd::fuzz;
    if (size < 1) return 0;
    ObservedReader observed(input[0]);
    std::span<const std::uint8_t> rest(input + 1, size - 1);
    while (rest.size() >= 2) {
        const std::size_t wanted = static_cast<std::size_t>(rest[0] << 8 | rest[1]);
        rest = rest.subspan(2);
        const auto packet = rest.first(std::min(wanted, rest.size()));
        rest = rest.subspan(packet.size());
        std::vector<std::uint8_t> octets(packet.begin(), packet.end());
        if (octets.size() >= 2) {
            octets[0] = 0;
            octets[1] = octets[1] == 5 ? 5 : 9;
        }
        const HeapBlock block(octets);
        observed.reader.feed_datagram(block.octets(), "a");
    }
    observed.check();
    return 0;
}
