internal import CausalKernels

/// A network compiled: the steps that compute it, and which memory each reads and writes. It depends on the network alone, so one
/// plan runs any number of rows, in either precision, on many threads at once.
///
/// A buffer holds one value a unit for every row of a pass. Nodes share a buffer where nobody misses what was in it: an
/// intervention or a bias acts in place on what it is the only reader of.
package struct Plan: Sendable {
    enum Step: Sendable {
        /// Buffer 0 = the input.
        case load
        case dense(Dense)
        /// `buffer += b`; where b starts in the parameters, and its number among the tensors.
        case bias(buffer: Int, offset: Int, tensor: Int)
        /// `to = f(from)`; in place where the two are one.
        case activate(Activation, from: Int, to: Int)
        case copy(Copy)
        /// do() on a buffer, at its site or once more; `cuts` where it sets 0 instead of the intervention's values.
        case intervene(site: Int, buffer: Int, cuts: Bool)
    }

    /// `to = f(from Wᵀ + b)`.
    struct Dense: Sendable {
        let from: Int
        let to: Int
        let inputs: Int
        let outputs: Int
        /// Where weight and bias start in the parameters; no bias is -1.
        let weight: Int
        let bias: Int
        /// The number of the weight among the tensors; the bias has the next one.
        let tensor: Int
        /// One whose derivative is a function of its output.
        var activation: Activation
        /// Its number in `edges`, -1 where all edges are there.
        let edges: Int
    }

    /// Columns of one buffer to columns of another; `adds` to what is there.
    struct Copy: Sendable {
        let from: Int
        let fromColumn: Int
        let to: Int
        let toColumn: Int
        let width: Int
        let adds: Bool
    }

    struct Buffer: Sendable {
        let width: Int
        /// Units before it: with n rows it starts at element `n * start`.
        let start: Int
        /// Whether the gradient has one writer that covers all of it, and need not be cleared first.
        var hasOneWriter = false
    }

    let steps: [Step]
    let buffers: [Buffer]
    let edges: [Edges]
    /// Where the masked weights of each of `edges` start in the trace, and the size of all.
    let maskedWeights: [Int]
    let maskedWeightCount: Int
    let output: Int
    /// Elements of all buffers for one row.
    let unitsPerRow: Int
    package let siteWidths: [Int]
    /// The site that the output is, if it is one.
    let outputSite: Int?
    /// The sites whose intervention acts on the input itself, before any product, and nowhere else.
    let sitesOnInput: Set<Int>
    /// Whether parameters act on the input's buffer in place, so that its gradient is always wanted.
    let hasBiasOnInput: Bool
    /// The widest buffer at which do() cuts.
    let widestCut: Int
    /// The same network on columns, where it is an MLP.
    let columns: ColumnNetwork?

    /// The site at which do() is the same as editing the input; nil where there is none.
    var inputSite: Int? {
        guard steps.count > 1, case .intervene(let site, 0, cuts: false) = steps[1], sitesOnInput.contains(site), output != 0 else { return nil }
        return site
    }

    package var inputWidth: Int { buffers[0].width }
    package var outputWidth: Int { buffers[output].width }
}
