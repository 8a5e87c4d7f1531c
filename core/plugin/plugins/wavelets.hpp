// SPDX-License-Identifier: Apache-2.0
// Features of the stationary Haar transform of a series, level by level. Pure.
#pragma once
#include <vector>

namespace nfstreamd::plugins {

// Of the approximation, then of the details from the coarsest level to the finest.
struct WaveletFeatures {
    std::vector<double> energy;     // part of the whole
    std::vector<double> mean;       // of the coefficients' sizes
    std::vector<double> deviation;  // of the coefficients, of the population
    std::vector<double> entropy;    // Shannon's, of the parts of the level's energy
};

// `series` has 2 to the power of `levels` values.
WaveletFeatures wavelet_features(std::vector<double> series, unsigned levels);

}  // namespace nfstreamd::plugins
