internal import CausalKernels
internal import Glibc

/// A gate for every ordered pair of variables, between 0 and 1, by which what one tells the other is multiplied: hard concrete variables (Louizos,
/// Welling and Kingma 2018), which are drawn anew at each step, are 0 or 1 exactly most of the time, and have a gradient all the same. That they are
/// drawn, and so mostly one or the other, is why weights behind a gate cannot grow to make up for its being nearly closed.
struct Gates {
    /// What is known of an edge.
    enum Kind: UInt8 { case closed, free, open }

    let count: Int
    var kinds: [Kind]
    /// Of `cause * count + effect`.
    let logits: Parameters<Double>

    /// The gate as it was drawn, and its derivative with respect to the logit.
    private(set) var values: [Double]
    private(set) var slopes: [Double]

    private static let temperature = 2.0 / 3
    private static let lowest = -0.1
    private static let highest = 1.1

    init(count: Int, kinds: [Kind]) throws(EngineError) {
        self.count = count
        self.kinds = kinds
        logits = try Parameters(count: count * count)
        values = [Double](repeating: 0, count: count * count)
        slopes = values
    }

    /// The probability that the gate is more than half open.
    func probability(_ place: Int) -> Double {
        switch kinds[place] {
        case .closed: 0
        case .open: 1
        case .free: Self.logistic(logits.pointer[place])
        }
    }

    var probabilities: [Double] { kinds.indices.map(probability) }

    /// Draws all gates from uniform numbers above 0 and below 1.
    mutating func draw(_ uniform: [Double]) {
        for place in kinds.indices {
            slopes[place] = 0
            guard kinds[place] == .free else {
                values[place] = kinds[place] == .open ? 1 : 0
                continue
            }
            let noise = log(uniform[place] / (1 - uniform[place]))
            let concrete = Self.logistic((logits.pointer[place] + noise) / Self.temperature)
            let stretched = Self.lowest + (Self.highest - Self.lowest) * concrete
            values[place] = min(max(stretched, 0), 1)
            if stretched > 0, stretched < 1 { slopes[place] = (Self.highest - Self.lowest) * concrete * (1 - concrete) / Self.temperature }
        }
    }

    private static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}
