// SPDX-License-Identifier: Apache-2.0
#include "exporters/verify/verify_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <iterator>

#include "core/base/json_text.hpp"

namespace nfstreamd::exporters::verify {
namespace {

std::string lower(std::string_view text) {
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(), [](unsigned char c) { return std::tolower(c); });
    return out;
}

void append_member(std::string& out, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    fmt::format_to(std::back_inserter(out), ",\"{}\":", key);
    append_json_string(out, value);
}

// Findings that differ by their element alone stand together.
void append_findings(std::string& out, const std::vector<Finding>& findings, std::size_t& at) {
    const Finding& first = findings[at];
    std::string subjects;
    for (; at < findings.size(); ++at) {
        const Finding& next = findings[at];
        if (next.outcome != first.outcome || next.reason.why != first.reason.why) break;
        fmt::format_to(std::back_inserter(subjects), "{}{}: {} {}", subjects.empty() ? "" : ", ", next.subject,
                       next.count, next.units);
    }
    fmt::format_to(std::back_inserter(out), "{:<8} {}\n", name(first.outcome), subjects);
    if (!first.reason.why.empty()) fmt::format_to(std::back_inserter(out), "         {}", first.reason.why);
    if (!first.reason.source.empty()) fmt::format_to(std::back_inserter(out), " ({})", first.reason.source);
    if (!first.reason.why.empty()) out += '\n';
    if (!first.reason.advice.empty())
        fmt::format_to(std::back_inserter(out), "         set: {}\n", first.reason.advice);
}

std::array<std::size_t, 5> totals(const std::vector<Finding>& findings) {
    std::array<std::size_t, 5> by_outcome{};
    for (const Finding& finding : findings) ++by_outcome[static_cast<std::size_t>(finding.outcome)];
    return by_outcome;
}

}  // namespace

std::string report_text(const StreamVerifier& verifier) {
    auto findings = verifier.findings();
    std::stable_sort(findings.begin(), findings.end(), [](const Finding& a, const Finding& b) {
        return a.outcome != b.outcome ? a.outcome > b.outcome : a.reason.why < b.reason.why;
    });
    std::string out = fmt::format("{} ({}): {} messages, {} records\n", verifier.profile().name,
                                  verifier.profile().title, verifier.messages(), verifier.records());
    for (std::size_t at = 0; at < findings.size();) append_findings(out, findings, at);
    const auto of = totals(findings);
    if (verifier.finds_harm())
        fmt::format_to(std::back_inserter(out), "not as it was sent: {} dropped, {} misread, {} lost\n", of[4], of[3],
                       of[2]);
    else if (verifier.records() == 0)
        out += "nothing came that could be judged\n";
    else
        out += "nothing would be dropped, misread or lost\n";
    return out;
}

std::string report_json(const StreamVerifier& verifier) {
    const auto findings = verifier.findings();
    std::string out;
    for (const Finding& finding : findings) {
        fmt::format_to(std::back_inserter(out),
                       "{{\"profile\":\"{}\",\"outcome\":\"{}\",\"subject\":", verifier.profile().name,
                       lower(name(finding.outcome)));
        append_json_string(out, finding.subject);
        fmt::format_to(std::back_inserter(out), ",\"count\":{},\"units\":\"{}\"", finding.count, finding.units);
        append_member(out, "why", finding.reason.why);
        append_member(out, "set", finding.reason.advice);
        append_member(out, "source", finding.reason.source);
        out += "}\n";
    }
    const auto of = totals(findings);
    fmt::format_to(std::back_inserter(out),
                   "{{\"profile\":\"{}\",\"verdict\":\"{}\",\"messages\":{},\"records\":{},\"kept\":{},\"ignored\":{},"
                   "\"lost\":{},\"misread\":{},\"dropped\":{}}}\n",
                   verifier.profile().name, verifier.finds_harm() ? "harm" : "fine", verifier.messages(),
                   verifier.records(), of[0], of[1], of[2], of[3], of[4]);
    return out;
}

}  // namespace nfstreamd::exporters::verify
