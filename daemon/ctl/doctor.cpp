// SPDX-License-Identifier: Apache-2.0
#include "daemon/ctl/doctor.hpp"

#include <cstdio>

#include "daemon/ctl/bug_report.hpp"
#include "daemon/ctl/findings.hpp"
#include "daemon/ctl/host_facts.hpp"
#include "daemon/ctl/requests.hpp"
#include "daemon/exit_code.hpp"

namespace nfstreamd::ctl {

int doctor(const CommandLine& line) {
    const HostFacts facts = gather_facts(line);
    const auto findings = examine(facts);
    const bool report_to_output = line.report == "-";
    if (line.report) {
        const std::string report = bug_report(facts, findings);
        if (report_to_output) {
            if (const int printed = print(report); printed != daemon::kExitOk) return printed;
        } else if (const Status written = write_new_file(*line.report, report); !written) {
            return fail(written.error());
        }
    }
    if (!report_to_output)
        if (const int printed = print(line.json ? findings_json(findings, facts) : findings_text(findings, facts));
            printed != daemon::kExitOk)
            return printed;
    if (line.report && !report_to_output)
        std::fprintf(stderr, "report written to %s: it names hosts and addresses, look at it before you give it away\n",
                     line.report->c_str());
    return findings.empty() ? daemon::kExitOk : daemon::kExitFailure;
}

}  // namespace nfstreamd::ctl
