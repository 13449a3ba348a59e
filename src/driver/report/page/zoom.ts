// How large the drawing is shown, and which part of it. In: the element that scrolls it, buttons. Out: the size of the drawing in it.
// Holds: the scale stays when something is drawn anew; what lies under the pointer stays there; a drag is no click.

const smallest = 0.1;
const largest = 4;
const step = 1.25;
/** Pixels of a point, Graphviz's unit. */
const pixels = 4 / 3;
/** Pixels that a pointer may move in a click. */
const still = 4;

export class Zoom {
  readonly #frame: HTMLElement;
  #scale = 1;
  /** Where a drag began, and what was scrolled to then. */
  #drag: { readonly x: number; readonly y: number; readonly left: number; readonly top: number; moved: boolean } | undefined;

  constructor(frame: HTMLElement, buttons: { readonly smaller: HTMLElement; readonly larger: HTMLElement; readonly fit: HTMLElement }) {
    this.#frame = frame;
    buttons.smaller.addEventListener('click', () => this.#to(this.#scale / step));
    buttons.larger.addEventListener('click', () => this.#to(this.#scale * step));
    buttons.fit.addEventListener('click', () => this.fit());
    frame.addEventListener(
      'wheel',
      (event) => {
        if (!event.ctrlKey) return;
        // The browser would make all of the page larger.
        event.preventDefault();
        this.#to(this.#scale * Math.exp(-event.deltaY / 400), event);
      },
      { passive: false },
    );
    frame.addEventListener('pointerdown', ({ button, clientX: x, clientY: y }) => {
      if (button === 0) this.#drag = { x, y, left: frame.scrollLeft, top: frame.scrollTop, moved: false };
    });
    frame.addEventListener('pointermove', ({ buttons: pressed, clientX, clientY }) => {
      const drag = this.#drag;
      if (drag === undefined || pressed === 0) return;
      drag.moved ||= Math.hypot(clientX - drag.x, clientY - drag.y) > still;
      if (drag.moved) frame.scrollTo(drag.left + drag.x - clientX, drag.top + drag.y - clientY);
    });
    frame.addEventListener(
      'click',
      (event) => {
        if (this.#drag?.moved === true) event.stopImmediatePropagation();
        this.#drag = undefined;
      },
      { capture: true },
    );
  }

  /** Gives a new drawing its size. */
  apply(): void {
    const svg = this.#svg();
    if (svg === null) return;
    const { width, height } = svg.viewBox.baseVal;
    svg.setAttribute('width', `${width * pixels * this.#scale}`);
    svg.setAttribute('height', `${height * pixels * this.#scale}`);
  }

  /** All of the drawing is seen, and none of it larger than Graphviz drew it. */
  fit(): void {
    const svg = this.#svg();
    if (svg === null) return;
    const { width, height } = svg.viewBox.baseVal;
    const { paddingLeft } = getComputedStyle(this.#frame);
    const around = 2 * Number.parseFloat(paddingLeft);
    const { clientWidth, clientHeight } = this.#frame;
    this.#to(Math.min(1, (clientWidth - around) / (width * pixels), (clientHeight - around) / (height * pixels)));
  }

  #svg(): SVGSVGElement | null {
    return this.#frame.querySelector('svg');
  }

  /** `at`: in the window; what lies there stays there. */
  #to(wanted: number, at?: { readonly clientX: number; readonly clientY: number }): void {
    const scale = Math.min(largest, Math.max(smallest, wanted));
    const frame = this.#frame;
    const { left, top, width, height } = frame.getBoundingClientRect();
    const x = (at?.clientX ?? left + width / 2) - left;
    const y = (at?.clientY ?? top + height / 2) - top;
    const ratio = scale / this.#scale;
    const [toLeft, toTop] = [(frame.scrollLeft + x) * ratio - x, (frame.scrollTop + y) * ratio - y];
    this.#scale = scale;
    this.apply();
    frame.scrollTo(toLeft, toTop);
  }
}
