internal import CausalKernels
internal import Glibc

/// One network for all variables: each has a hidden layer of its own that reads all others through gates, a mean, and a scale of its Gaussian noise.
/// The hidden layers stand side by side, so that one product computes them all.
///
/// A row in which do() set a variable says nothing of its mechanism, and adds exactly nothing to the likelihood or to any gradient of it; the value
/// that was set is read by the others as any is.
final class GatedNetwork<Scalar: EngineScalar> {
    let variables: Int
    let units: Int
    let parameters: Parameters<Scalar>
    let gradient: Storage<Scalar>

    /// Columns of all hidden layers: unit h of variable j is h * variables + j.
    private let width: Int
    private let capacity: Int
    /// Weights times gates, and the gradient with respect to them.
    private let gated: Storage<Scalar>
    private let gatedGradient: Storage<Scalar>
    private let activations: Storage<Scalar>
    private let panels: Storage<Scalar>
    /// What each chunk of rows adds to the gradients of all but the hidden weights, and to the likelihood.
    private let shares: Storage<Scalar>
    private let losses: Storage<Double>

    private static var chunkRows: Int { 64 }
    /// A mechanism without noise would have a likelihood without bound.
    private static var leastLogScale: Scalar { -6 }

    // Where each kind of parameter begins: hidden weights first, as [cause][unit][effect], then [unit][effect] twice, and one a variable twice.
    private var offsets: Int { variables * width }
    private var outputs: Int { offsets + width }
    private var constants: Int { outputs + width }
    private var logScales: Int { constants + variables }

    private static func forwardProduct(_ rows: Int, _ variables: Int, width: Int) -> Product { Product(rows: rows, columns: width, depth: variables) }
    private static func backwardProduct(_ rows: Int, _ variables: Int, width: Int) -> Product {
        Product(rows: variables, columns: width, depth: rows, isLeftTransposed: true)
    }

    /// For batches of up to `rows` rows. Weights are drawn, of a size that would suit if all gates were open.
    init(variables: Int, units: Int, rows: Int, random: Random) throws(EngineError) {
        self.variables = variables
        self.units = units
        width = variables * units
        capacity = rows
        let count = try checkedSize(variables, width, of: "gated network") + 2 * width + 2 * variables
        parameters = try Parameters(count: count)
        gradient = try Storage(count: count, of: "gated network")
        gated = try Storage(count: variables * width, of: "gated network")
        gatedGradient = try Storage(count: variables * width, of: "gated network")
        activations = try Storage(count: checkedSize(rows, width, of: "gated network"), of: "gated network")
        let products = [Self.forwardProduct(rows, variables, width: width), Self.backwardProduct(rows, variables, width: width)]
        panels = try Storage(count: products.map { $0.panelCount(Scalar.self) }.max()!, of: "gated network")
        let chunks = (rows + Self.chunkRows - 1) / Self.chunkRows
        shares = try Storage(count: chunks * (2 * width + 2 * variables), of: "gated network")
        losses = try Storage(count: chunks, of: "gated network")
        var random = random
        for k in 0..<variables * width { parameters.pointer[k] = Scalar(random.gaussian() / Double(variables).squareRoot()) }
        for k in 0..<width { parameters.pointer[outputs + k] = Scalar(random.gaussian() / Double(units).squareRoot()) }
    }

    /// The mean over rows of the negative logarithm of the likelihood, summed over variables, plus `ridge` times the squares of all weights; and its
    /// gradients with respect to the parameters, in `gradient`, and to the gates.
    ///
    /// - Parameter tells: 1 where the row tells of the variable's mechanism, 0 where it was set.
    @specialized(where Scalar == Float)
    @specialized(where Scalar == Double)
    func evaluate(_ x: UnsafePointer<Scalar>, tells: UnsafePointer<Scalar>, rows: Int, gates: [Double], ridge: Double,
                  gateGradient: inout [Double]) -> Double {
        precondition(rows > 0 && rows <= capacity)
        let p = UnsafePointer(parameters.pointer), slopes = gradient.pointer
        for i in 0..<variables {
            for h in 0..<units {
                let at = i * width + h * variables
                for j in 0..<variables { gated.pointer[at + j] = p[at + j] * Scalar(gates[i * variables + j]) }
            }
        }
        Self.forwardProduct(rows, variables, width: width)(x, gated.pointer, bias: p + offsets, activation: .tanh, into: activations.pointer,
                                                           panels: panels.pointer)

        let chunks = (rows + Self.chunkRows - 1) / Self.chunkRows, size = 2 * width + 2 * variables
        Threads.run(chunks: chunks, work: 4 * rows * width) { chunk in
            let first = chunk * Self.chunkRows, last = min(first + Self.chunkRows, rows)
            losses.pointer[chunk] = explain(x, tells, from: first, to: last, share: shares.pointer + chunk * size, 1 / Scalar(rows))
        }
        let rest = slopes + offsets
        rest.update(repeating: 0, count: size)
        var loss = 0.0
        for chunk in 0..<chunks {
            loss += losses.pointer[chunk]
            Scalar.kernels.add(shares.pointer + chunk * size, to: rest, count: size)
        }

        Self.backwardProduct(rows, variables, width: width)(x, activations.pointer, into: gatedGradient.pointer, panels: panels.pointer)
        let twice = Scalar(2 * ridge)
        for i in 0..<variables {
            for j in 0..<variables { gateGradient[i * variables + j] = 0 }
            for h in 0..<units {
                let at = i * width + h * variables
                for j in 0..<variables {
                    let own = gatedGradient.pointer[at + j]
                    gateGradient[i * variables + j] += Double(own * p[at + j])
                    slopes[at + j] = own * Scalar(gates[i * variables + j]) + twice * p[at + j]
                }
            }
        }
        for k in outputs..<constants { slopes[k] += twice * p[k] }
        return loss + ridge * (Scalar.kernels.sumOfSquares(p, count: offsets) + Scalar.kernels.sumOfSquares(p + outputs, count: width))
    }

    /// The likelihood of some rows, and what they add to the gradients beyond the hidden layer; hidden activations become the gradients before them.
    @inline(__always)
    private func explain(_ x: UnsafePointer<Scalar>, _ tells: UnsafePointer<Scalar>, from first: Int, to last: Int,
                         share: UnsafeMutablePointer<Scalar>, _ weight: Scalar) -> Double {
        let p = UnsafePointer(parameters.pointer), d = variables
        let ofOffsets = share, ofOutputs = share + width, ofConstants = share + 2 * width, ofLogScales = ofConstants + d
        share.update(repeating: 0, count: 2 * width + 2 * d)
        var loss = 0.0
        withUnsafeTemporaryAllocation(of: Scalar.self, capacity: 2 * d) { scratch in
            let error = scratch.baseAddress!, precision = error + d
            for j in 0..<d { precision[j] = Scalar(exp(-2 * Double(p[logScales + j]))) }
            for row in first..<last {
                let hidden = activations.pointer + row * width, own = x + row * d, tell = tells + row * d
                for j in 0..<d { error[j] = p[constants + j] - own[j] }
                for h in 0..<units { for j in 0..<d { error[j] += hidden[h * d + j] * p[outputs + h * d + j] } }
                var sum: Scalar = 0
                for j in 0..<d {
                    let isTold = tell[j] != 0, scaled = precision[j] * error[j], square = scaled * error[j]
                    sum += isTold ? square / 2 + p[logScales + j] : 0
                    ofLogScales[j] += isTold ? weight * (1 - square) : 0
                    error[j] = isTold ? weight * scaled : 0
                    ofConstants[j] += error[j]
                }
                loss += Double(sum)
                for h in 0..<units {
                    let at = h * d
                    for j in 0..<d {
                        let value = hidden[at + j], slope = error[j] * p[outputs + at + j] * (1 - value * value)
                        ofOutputs[at + j] += error[j] * value
                        ofOffsets[at + j] += slope
                        hidden[at + j] = slope
                    }
                }
            }
        }
        return loss * Double(weight)
    }

    /// After a step of the optimiser.
    func keepScalesAbove() {
        for j in 0..<variables { parameters.pointer[logScales + j] = max(parameters.pointer[logScales + j], Self.leastLogScale) }
    }
}
