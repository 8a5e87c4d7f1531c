// SPDX-License-Identifier: Apache-2.0
#include "exporters/ipfix/reader_sessions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace nfstreamd::exporters::ipfix {
namespace {

// Bounds for what strangers can make the reader keep.
constexpr std::size_t kMostSessions = 1024;
constexpr std::size_t kMostFields = 500'000;

std::size_t fields_of(const ReaderSession& session) {
    std::size_t fields = 0;
    for (const auto& [id, tmpl] : session.templates.by_id) fields += tmpl.fields.size();
    return fields;
}

}  // namespace

ReaderSession& ReaderSessions::of(std::string_view source, int version, std::uint32_t domain) {
    const std::string key = fmt::format("{}\n{}\n{}", source, version, domain);
    auto found = sessions_.find(key);
    if (found == sessions_.end()) {
        if (sessions_.size() >= kMostSessions) {
            const auto oldest = std::min_element(sessions_.begin(), sessions_.end(), [](const auto& a, const auto& b) {
                return a.second->last_used < b.second->last_used;
            });
            fields_ -= fields_of(*oldest->second);
            sessions_.erase(oldest);
        }
        found = sessions_.emplace(key, std::make_unique<ReaderSession>()).first;
    }
    found->second->last_used = ++age_;
    return *found->second;
}

void ReaderSessions::end(std::string_view source) {
    const std::string prefix = std::string(source) + '\n';
    std::erase_if(sessions_, [&](const auto& entry) {
        if (!entry.first.starts_with(prefix)) return false;
        fields_ -= fields_of(*entry.second);
        return true;
    });
}

bool ReaderSessions::learn(ReaderSession& session, std::uint16_t id, ReadTemplate tmpl) {
    forget(session, id);
    if (fields_ + tmpl.fields.size() > kMostFields) return false;
    fields_ += tmpl.fields.size();
    session.templates.by_id[id] = std::move(tmpl);
    return true;
}

void ReaderSessions::forget(ReaderSession& session, std::uint16_t id) {
    const auto found = session.templates.by_id.find(id);
    if (found == session.templates.by_id.end()) return;
    fields_ -= found->second.fields.size();
    session.templates.by_id.erase(found);
}

void ReaderSessions::forget_all(ReaderSession& session, bool options) {
    std::erase_if(session.templates.by_id, [&](const auto& entry) {
        if (entry.second.is_options != options) return false;
        fields_ -= entry.second.fields.size();
        return true;
    });
}

}  // namespace nfstreamd::exporters::ipfix
