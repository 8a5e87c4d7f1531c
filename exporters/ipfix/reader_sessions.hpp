// SPDX-License-Identifier: Apache-2.0
// What a collector remembers of who sends to it: templates, learnt elements and
// the next sequence number, per transport session, version and observation
// domain. Bounded: the session not used for longest leaves. One thread.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "exporters/ipfix/json_record.hpp"

namespace nfstreamd::exporters::ipfix {

struct ReaderSession {
    ReadTemplates templates;
    std::uint32_t expected = 0;  // sequence number of the next message
    bool sequence_known = false;
    std::uint64_t last_used = 0;
};

class ReaderSessions {
public:
    ReaderSession& of(std::string_view source, int version, std::uint32_t domain);
    void end(std::string_view source);

    // False: more fields than there is room for; what the id meant before is forgotten all the same.
    bool learn(ReaderSession& session, std::uint16_t id, ReadTemplate tmpl);
    void forget(ReaderSession& session, std::uint16_t id);
    void forget_all(ReaderSession& session, bool options);

private:
    std::map<std::string, std::unique_ptr<ReaderSession>, std::less<>> sessions_;
    std::size_t fields_ = 0;  // of all templates of all sessions
    std::uint64_t age_ = 0;
};

}  // namespace nfstreamd::exporters::ipfix
