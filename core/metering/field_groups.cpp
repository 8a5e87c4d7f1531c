// SPDX-License-Identifier: Apache-2.0
#include "core/metering/field_groups.hpp"

#include "core/metering/flow_extension.hpp"

namespace nfstreamd {

FieldGroups field_groups(const MeteringOptions& options) {
    FieldGroups groups;
    groups.tunnel = !options.decode_tunnels.empty();
    groups.statistics = options.statistical_analysis;
    groups.splt = options.splt_analysis > 0;
    groups.application = options.n_dissections.any();
    groups.l7_details = groups.application && options.l7_details;
    groups.tcp_quality = options.tcp_quality;
    groups.enrichment = options.enrichment.any();
    groups.system = options.system_visibility_mode > 0;
    groups.accounting_mode = options.accounting_mode;
    groups.nfstream3 = options.nfstream3_records;
    for (const auto& extension : options.extensions)
        groups.declared.insert(groups.declared.end(), extension->fields().begin(), extension->fields().end());
    return groups;
}

}  // namespace nfstreamd
