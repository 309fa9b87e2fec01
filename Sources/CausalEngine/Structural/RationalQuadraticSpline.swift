internal import Glibc

/// An increasing function that is rational-quadratic in `pieces` pieces on [-bound, bound] and the identity outside
/// (Durkan et al. 2019, "Neural spline flows", equations 4 to 8; Gregory and Delbourgo 1982). Its raw parameters are, for each piece, a width
/// and a height before a softmax, and for each inner knot a slope before a softplus.
struct RationalQuadraticSpline {
    static let bound = 4.0
    private static let leastShare = 1e-3, leastSlope = 1e-3
    /// The raw slope that stands for 1.
    private static let unit = log(exp(1 - leastSlope) - 1)

    static func parameterCount(_ pieces: Int) -> Int { 3 * pieces - 1 }

    private let raw: UnsafePointer<Double>
    private let pieces: Int

    init(_ raw: UnsafePointer<Double>, pieces: Int) {
        self.raw = raw
        self.pieces = pieces
    }

    /// Value and slope at z.
    func callAsFunction(_ z: Double) -> (value: Double, slope: Double) {
        guard abs(z) < RationalQuadraticSpline.bound else { return (z, 1) }
        let piece = piece { $0.x <= z && z < $0.x + $0.width }
        let t = (z - piece.x) / piece.width, (value, slope) = piece.evaluate(t)
        return (value, slope)
    }

    /// The z with this value.
    func inverse(_ value: Double) -> Double {
        guard abs(value) < RationalQuadraticSpline.bound else { return value }
        let piece = piece { $0.y <= value && value < $0.y + $0.height }
        // The paper's equations 6 to 8: the root of a quadratic, in the form that does not cancel.
        let y = value - piece.y, bend = piece.leftSlope + piece.rightSlope - 2 * piece.chord
        let a = piece.height * (piece.chord - piece.leftSlope) + y * bend, b = piece.height * piece.leftSlope - y * bend, c = -piece.chord * y
        let root = max(b * b - 4 * a * c, 0).squareRoot(), t = min(max(2 * c / (-b - root), 0), 1)
        return piece.x + t * piece.width
    }

    /// Adds nothing up: overwrites `gradient`, of the raw parameters, of `ofValue * value + ofLogSlope * log(slope)` at z, and returns its
    /// derivative with respect to z in two parts.
    func gradients(_ z: Double, ofValue: Double, ofLogSlope: Double, into gradient: UnsafeMutablePointer<Double>) -> (Double, Double) {
        gradient.update(repeating: 0, count: RationalQuadraticSpline.parameterCount(pieces))
        guard abs(z) < RationalQuadraticSpline.bound else { return (ofValue, 0) }
        let piece = piece { $0.x <= z && z < $0.x + $0.width }
        let g = piece.gradients(z, ofValue: ofValue, ofLogSlope: ofLogSlope)
        spread(g.x, g.width, from: 0, piece: piece.index, into: gradient)
        spread(g.y, g.height, from: pieces, piece: piece.index, into: gradient + pieces)
        let slopes = gradient + 2 * pieces, rawSlopes = raw + 2 * pieces
        if piece.index > 0 { slopes[piece.index - 1] += g.leftSlope * logistic(rawSlopes[piece.index - 1] + RationalQuadraticSpline.unit) }
        if piece.index < pieces - 1 { slopes[piece.index] += g.rightSlope * logistic(rawSlopes[piece.index] + RationalQuadraticSpline.unit) }
        return (g.z, 0)
    }

    // MARK: Knots

    private func piece(where isIt: (Piece) -> Bool) -> Piece {
        let widths = Shares(raw, pieces), heights = Shares(raw + pieces, pieces), slopes = raw + 2 * pieces
        func slope(_ k: Int) -> Double {
            guard k > 0, k < pieces else { return 1 }
            return RationalQuadraticSpline.leastSlope + softplus(slopes[k - 1] + RationalQuadraticSpline.unit)
        }
        var x = -RationalQuadraticSpline.bound, y = -RationalQuadraticSpline.bound
        for k in 0..<pieces {
            let piece = Piece(index: k, x: x, y: y, width: 2 * RationalQuadraticSpline.bound * widths[k],
                              height: 2 * RationalQuadraticSpline.bound * heights[k], leftSlope: slope(k), rightSlope: slope(k + 1))
            if k == pieces - 1 || isIt(piece) { return piece }
            x += piece.width
            y += piece.height
        }
        fatalError("unreachable")
    }

    /// Shares of the whole, by a softmax, each at least a thousandth.
    private struct Shares {
        let raw: UnsafePointer<Double>, largest: Double, sum: Double, rest: Double

        init(_ raw: UnsafePointer<Double>, _ count: Int) {
            self.raw = raw
            var largest = raw[0]
            for k in 1..<count { largest = max(largest, raw[k]) }
            self.largest = largest
            var sum = 0.0
            for k in 0..<count { sum += exp(raw[k] - largest) }
            self.sum = sum
            rest = 1 - RationalQuadraticSpline.leastShare * Double(count)
        }

        func softmax(_ k: Int) -> Double { exp(raw[k] - largest) / sum }
        subscript(k: Int) -> Double { RationalQuadraticSpline.leastShare + rest * softmax(k) }
    }

    /// From the gradients of a piece's beginning (the sum of all shares before it) and of its own share to those of the raw shares.
    private func spread(_ ofStart: Double, _ ofShare: Double, from first: Int, piece index: Int, into gradient: UnsafeMutablePointer<Double>) {
        let shares = Shares(raw + first, pieces), scale = 2 * RationalQuadraticSpline.bound * shares.rest
        func incoming(_ k: Int) -> Double { k < index ? ofStart : k == index ? ofShare : 0 }
        var mean = 0.0
        for k in 0...index { mean += shares.softmax(k) * incoming(k) }
        for k in 0..<pieces { gradient[k] += scale * shares.softmax(k) * (incoming(k) - mean) }
    }

    private func softplus(_ x: Double) -> Double { x > 30 ? x : log1p(exp(x)) }
    private func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }
}

/// One piece between two knots.
private struct Piece {
    let index: Int
    let x: Double, y: Double, width: Double, height: Double, leftSlope: Double, rightSlope: Double

    var chord: Double { height / width }

    /// At `t` in [0, 1] of the way: equations 4 and 5.
    func evaluate(_ t: Double) -> (value: Double, slope: Double) {
        let s = chord, flat = t * (1 - t), below = s + (leftSlope + rightSlope - 2 * s) * flat
        let value = y + height * (s * t * t + leftSlope * flat) / below
        let slope = s * s * (rightSlope * t * t + 2 * s * flat + leftSlope * (1 - t) * (1 - t)) / (below * below)
        return (value, slope)
    }

    /// Of `ofValue * value + ofLogSlope * log(slope)`, with respect to z and to everything that the piece is made of.
    func gradients(_ z: Double, ofValue: Double, ofLogSlope: Double)
        -> (z: Double, x: Double, y: Double, width: Double, height: Double, leftSlope: Double, rightSlope: Double) {
        let t = (z - x) / width, s = chord, flat = t * (1 - t), dFlat = 1 - 2 * t
        let bend = leftSlope + rightSlope - 2 * s, below = s + bend * flat
        let above = s * t * t + leftSlope * flat
        let middle = rightSlope * t * t + 2 * s * flat + leftSlope * (1 - t) * (1 - t)

        // value = y + height * above / below;  log slope = 2 log s + log middle - 2 log below
        let gAbove = ofValue * height / below, gBelow = -ofValue * height * above / (below * below) - 2 * ofLogSlope / below
        let gMiddle = ofLogSlope / middle
        let gT = gAbove * (2 * s * t + leftSlope * dFlat) + gBelow * bend * dFlat
            + gMiddle * (2 * rightSlope * t + 2 * s * dFlat - 2 * leftSlope * (1 - t))
        let gS = gAbove * t * t + gBelow * (1 - 2 * flat) + gMiddle * 2 * flat + 2 * ofLogSlope / s
        let gLeft = gAbove * flat + gBelow * flat + gMiddle * (1 - t) * (1 - t)
        let gRight = gBelow * flat + gMiddle * t * t
        return (z: gT / width, x: -gT / width, y: ofValue, width: -gT * t / width - gS * s / width,
                height: ofValue * above / below + gS / width, leftSlope: gLeft, rightSlope: gRight)
    }
}
