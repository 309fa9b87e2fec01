internal import CausalKernels
internal import Glibc

/// From noise of one distribution to noise of another, of the same rank: increasing, and the identity where the two are one.
struct NoiseRank: Sendable {
    enum Law: Sendable {
        case gaussian
        /// Ascending; the one at place i has the rank (i + 1/2) / count.
        case seen([Double])

        init<Scalar: EngineScalar>(_ mechanism: FittedMechanism<Scalar>, _ member: Int) {
            self = mechanism.distribution == .gaussian ? .gaussian : .seen(mechanism.residuals[member].buffer.filter(\.isFinite).sorted())
        }
    }

    private let from: Law
    private let to: Law

    init(from: Law, to: Law) {
        self.from = from
        self.to = to
    }

    func callAsFunction(_ noise: Double) -> Double {
        guard noise.isFinite else { return noise }
        switch (from, to) {
        case (.gaussian, .gaussian): return noise
        case (.gaussian, .seen(let there)):
            return NoiseRank.value(at: 0.5 * erfc(-noise / 2.0.squareRoot()) * Double(there.count) - 0.5, there)
        case (.seen(let here), .gaussian):
            let count = Double(here.count)
            return NoiseRank.gaussianQuantile((min(max(NoiseRank.place(of: noise, here), 0), count - 1) + 0.5) / count)
        case (.seen(let here), .seen(let there)):
            let place = NoiseRank.place(of: noise, here), scale = Double(there.count) / Double(here.count)
            let value = NoiseRank.value(at: (min(max(place, 0), Double(here.count - 1)) + 0.5) * scale - 0.5, there)
            // Beyond what was seen: as far beyond, in units of the spread.
            let spread = here.last! - here[0], beyond = noise < here[0] ? noise - here[0] : noise > here.last! ? noise - here.last! : 0
            return spread > 0 ? value + beyond * (there.last! - there[0]) / spread : value
        }
    }

    /// Where a number stands among others, between two of them as its distance from both says; the middle of equal ones.
    private static func place(of noise: Double, _ seen: [Double]) -> Double {
        let first = seen.firstPlace { $0 >= noise }, end = seen.firstPlace { $0 > noise }
        if first < end { return Double(first + end - 1) / 2 }
        guard first > 0, first < seen.count else { return Double(first == 0 ? 0 : seen.count - 1) }
        return Double(first - 1) + (noise - seen[first - 1]) / (seen[first] - seen[first - 1])
    }

    private static func value(at place: Double, _ seen: [Double]) -> Double {
        let place = min(max(place, 0), Double(seen.count - 1)), i = min(Int(place), max(seen.count - 2, 0))
        guard seen.count > 1 else { return seen[0] }
        let share = place - Double(i)
        return share == 0 ? seen[i] : seen[i] * (1 - share) + seen[i + 1] * share
    }

    /// Newton's method on the smaller tail, which is convex in the logarithm, so that it cannot overshoot twice.
    static func gaussianQuantile(_ rank: Double) -> Double {
        let tail = min(rank, 1 - rank)
        guard tail < 0.5 else { return 0 }
        var x = -(-2 * log(2 * tail)).squareRoot()
        for _ in 0..<50 {
            let below = 0.5 * erfc(-x / 2.0.squareRoot()), density = exp(-0.5 * x * x) / (2 * Double.pi).squareRoot()
            let step = (log(below) - log(tail)) * below / density
            x -= step
            if abs(step) <= 1e-15 * max(1, abs(x)) { break }
        }
        return rank < 0.5 ? x : -x
    }
}

extension [Double] {
    /// The first of these, ascending, for which something holds that holds for all that follow; the count where there is none.
    fileprivate func firstPlace(_ holds: (Double) -> Bool) -> Int {
        var low = 0, high = count
        while low < high {
            let middle = (low + high) / 2
            if holds(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
