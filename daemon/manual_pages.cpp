// SPDX-License-Identifier: Apache-2.0
#include "daemon/manual_pages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "config/roff.hpp"
#include "daemon/command_line.hpp"
#include "daemon/ctl/command_line.hpp"

namespace nfstreamd::daemon {
namespace {

using config::roff_head;
using config::roff_lines;
using config::roff_text;
using config::roff_word;

constexpr std::string_view kDaemonEnd = R"(.Sh SIGNALS
.Bl -tag -width "SIGTERM, SIGINT"
.It Dv SIGHUP
The configuration is read again.
What is wrong with it is logged, and changes nothing; flows, sequence numbers
and sessions of what is unchanged go on.
.It Dv SIGTERM , SIGINT
Every flow is exported, then the daemon ends.
A second one ends it at once.
.El
.Sh FILES
.Bl -tag -width Ds
.It Pa /etc/nfstreamd/nfstreamd.yaml
The configuration.
.It Pa /run/nfstreamd/control.sock
Where
.Xr nfstreamctl 1
asks.
.It Pa /var/lib/nfstreamd
Working data of the service, such as a spool.
.El
.Sh EXIT STATUS
)";

constexpr std::string_view kDaemonExamples = R"(.Sh EXAMPLES
Flows of a capture file:
.Pp
.Dl nfstreamd \-r a.pcap \-w flows.csv
.Pp
What is wrong with a configuration:
.Pp
.Dl nfstreamd \-t \-c nfstreamd.yaml
.Sh SEE ALSO
.Xr nfstreamctl 1 ,
.Xr systemctl 1 ,
.Xr nfstreamd.yaml 5
)";

constexpr std::string_view kClientExamples = R"(.Sh EXAMPLES
What is captured, metered, exported and lost:
.Pp
.Dl nfstreamctl status
.Pp
What nfcapd would not keep of what arrives:
.Pp
.Dl nfstreamctl collect \-\-listen udp://127.0.0.1:4739 \-\-verify nfdump
.Sh SEE ALSO
.Xr nfstreamd.yaml 5 ,
.Xr nfstreamd 8
)";

// The parts of --help between its empty lines.
std::string_view part(std::string_view help, std::string_view begin) {
    const auto at = help.find(begin);
    if (at == help.npos) return {};
    const std::string_view from = help.substr(at);
    return from.substr(0, from.find("\n\n"));
}

std::string_view second_part(std::string_view help) {
    const std::string_view rest = help.substr(help.find("\n\n") + 2);
    return rest.substr(0, rest.find("\n\n"));
}

void append_options(std::string& out, const std::vector<OptionText>& options) {
    out += ".Bl -tag -width Ds\n";
    for (const OptionText& option : options) {
        out += ".It";
        if (option.short_name) out += fmt::format(" Fl {} ,", option.short_name);
        out += fmt::format(" Fl \\-{}", roff_word(option.long_name));
        if (!option.placeholder.empty()) out += fmt::format(" Ar {}", roff_word(option.placeholder));
        out += "\n" + roff_text(option.help);
    }
    out += ".El\n";
}

// Of "Exit codes: 0 success, 1 failure, ..."
std::string exit_status(std::string_view help) {
    constexpr std::string_view kBegin = "Exit codes: ";
    std::string_view text = part(help, kBegin);
    text.remove_prefix(std::min(text.size(), kBegin.size()));
    return roff_text(text);
}

}  // namespace

std::string nfstreamd_manual_page() {
    const std::string help = help_text();
    std::string out = roff_head("NFSTREAMD 8", "nfstreamd", "meter network flows and export them");
    out += ".Sh SYNOPSIS\n" + roff_lines(part(help, "Usage: ").substr(7));
    out += ".Sh DESCRIPTION\n" + roff_text(second_part(help));
    out += ".Pp\nThe configuration is described in\n.Xr nfstreamd.yaml 5 .\n.Ss Options\n";
    append_options(out, option_texts());
    out += kDaemonEnd;
    out += exit_status(help);
    return out.append(kDaemonExamples);
}

std::string nfstreamctl_manual_page() {
    const std::string help = ctl::help_text();
    std::string out = roff_head("NFSTREAMCTL 1", "nfstreamctl", "ask a running nfstreamd, and collect flows");
    out += ".Sh SYNOPSIS\n" + roff_lines(part(help, "Usage: ").substr(7));
    out += ".Sh DESCRIPTION\n" + roff_text(second_part(help)) + ".Ss Commands\n.Bl -tag -width Ds\n";
    for (const auto& command : ctl::command_texts()) {
        out += fmt::format(".It Ic {}", command.name);
        if (!command.arguments.empty()) out += fmt::format(" No {}", roff_word(command.arguments));
        out += "\n" + roff_text(command.help);
    }
    out += ".El\n.Ss Options\n";
    append_options(out, ctl::option_texts());
    out += ".Sh FILES\n.Bl -tag -width Ds\n.It Pa /run/nfstreamd/control.sock\nWhere nfstreamd answers.\n.El\n";
    out += ".Sh EXIT STATUS\n" + exit_status(help);
    return out.append(kClientExamples);
}

}  // namespace nfstreamd::daemon
