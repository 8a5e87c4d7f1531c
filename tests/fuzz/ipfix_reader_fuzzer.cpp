// SPDX-License-Identifier: Apache-2.0
// The collecting side on hostile IPFIX. The input is a stream of messages, each with its length in front in two octets;
// it is read as datagrams of two senders and as one stream, observed by every collector's profile. What comes out
// must be whole lines.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "tests/fuzz/reader_promises.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* input, std::size_t size) {
    using namespace nfstreamd::fuzz;
    if (size < 1) return 0;
    ObservedReader observed(input[0]);
    std::span<const std::uint8_t> rest(input + 1, size - 1);
    for (int n = 0; rest.size() >= 2; ++n) {
        const std::size_t wanted = static_cast<std::size_t>(rest[0] << 8 | rest[1]);
        rest = rest.subspan(2);
        const auto message = rest.first(std::min(wanted, rest.size()));
        rest = rest.subspan(message.size());
        const HeapBlock block(message);
        observed.reader.feed_datagram(block.octets(), n % 3 == 2 ? "b" : "a");
        if (!observed.reader.feed_stream(block.octets(), "stream")) observed.reader.end_stream("stream");
    }
    observed.reader.end_stream("stream");
    observed.check();
    return 0;
}
