/// A variable as a few smooth functions of itself: a natural cubic spline (Hastie, Tibshirani and Friedman 2009, 5.2.1) with knots where there are
/// rows, in units of the variable's spread.
struct SmoothFunctions {
    /// In ascending order; the functions are linear beyond the outer ones.
    private let knots: [Double]
    private let scale: Standardisation

    /// As many as knots less one: the variable itself, and bends.
    var count: Int { max(1, knots.count - 1) }

    init(_ values: [Double], knots wanted: Int) {
        scale = Standardisation(values)
        let sorted = values.map(scale.standard).sorted()
        var knots: [Double] = []
        for k in 0..<wanted {
            let place = (0.05 + 0.9 * Double(k) / Double(max(wanted - 1, 1))) * Double(sorted.count - 1)
            let knot = sorted[Int(place)]
            if knots.last.map({ knot > $0 + 1e-6 }) ?? true { knots.append(knot) }
        }
        self.knots = knots.count > 2 ? knots : []
    }

    /// For each column of some rows.
    static func all(_ data: StructuralDataset) -> [SmoothFunctions] {
        (0..<data.columns).map { v in SmoothFunctions((0..<data.rows).map { data.value($0, v) }, knots: usualKnots) }
    }

    private static let usualKnots = 6

    func values(at value: Double, into functions: UnsafeMutablePointer<Double>) {
        let x = scale.standard(value)
        functions[0] = x
        guard let last = knots.last, let before = knots.dropLast().last else { return }
        func cube(_ knot: Double) -> Double { x > knot ? (x - knot) * (x - knot) * (x - knot) : 0 }
        func bend(_ knot: Double) -> Double { (cube(knot) - cube(last)) / (last - knot) }
        let end = bend(before)
        for k in 0..<knots.count - 2 { functions[k + 1] = bend(knots[k]) - end }
    }
}
