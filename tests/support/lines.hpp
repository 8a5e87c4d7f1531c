// SPDX-License-Identifier: Apache-2.0
// Lines as one block of messages for a Transport.
#pragma once
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "exporters/transport/transport.hpp"

namespace nfstreamd::test {

struct Lines {
    std::string bytes;
    std::vector<std::size_t> ends;

    explicit Lines(std::initializer_list<std::string_view> lines) {
        for (const auto line : lines) add(line);
    }
    void add(std::string_view line) {
        bytes += line;
        bytes += '\n';
        ends.push_back(bytes.size());
    }
    Lines from(std::size_t first) const {
        Lines rest({});
        for (std::size_t i = first; i < ends.size(); ++i) {
            const std::size_t begin = i == 0 ? 0 : ends[i - 1];
            rest.add(std::string_view(bytes).substr(begin, ends[i] - begin - 1));
        }
        return rest;
    }
};

inline Lines many_lines(std::size_t count) {
    Lines lines({});
    for (std::size_t i = 0; i < count; ++i) lines.add("line " + std::to_string(i) + std::string(i % 90, 'x'));
    return lines;
}

inline Status send(exporters::Transport& transport, const Lines& lines, std::size_t& sent) {
    sent = 0;
    return transport.send(lines.bytes, lines.ends, sent);
}

inline bool sends_all(exporters::Transport& transport, const Lines& lines) {
    std::size_t sent = 0;
    return send(transport, lines, sent) && sent == lines.ends.size();
}

}  // namespace nfstreamd::test
