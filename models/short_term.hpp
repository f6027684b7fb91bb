// The short-term model of a risk at a point w* (Cao, Wu, Yuan, Sayed, arXiv 2406.20006): every Hessian stays what it is at w*.
//
//   gradient of agent k at w    ghat_k(w*) + H_k (w - w*)     ghat_k: the mini-batch gradient, same draws as the true risk; H_k: of all its data
//   objective                   f(w*) + d . (w - w*) + 1/2 (w - w*) . H (w - w*),  d, H: of f at w*
//
// Run as an arm beside the true risk ([model] short_term = true, algorithm.start = w*) it is the "shadow" that theory speaks of: exact for
// quadratics, and while w stays near w* for everything else.
//
// Needs    for models with data, samples that all weigh the same in f (ModelSpec::needs_even_samples; Population says where they do not).
// Cost     a step: two gradients' worth of passes over the batch and the local data; an objective of M points: M products with the Hessian of
//          all data. Two more banks of rows.
#pragma once

#include "models/model.hpp"

namespace orrery {

// `risk` must start every worker at one point, the same for every seed (ModelSpec::start_from).
std::unique_ptr<ModelSpec> short_term(std::unique_ptr<ModelSpec> risk);

}  // namespace orrery
